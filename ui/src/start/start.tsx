import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, pageLoaded } from "./App";
import { loadText, preferredLanguage } from "./text";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
// Where the document has the page's heading already (firstLook.ts), it stays until the page itself can take its place.
const shown = root.querySelector(".first-page, .first-home");
// No `await` out here: the page's code imports this file's, and would wait for it while it is waited for.
void Promise.all([loadText(preferredLanguage()), shown && pageLoaded(), shown && painted()]).then(([text]) =>
  createRoot(root).render(
    <StrictMode>
      <App first={text} />
    </StrictMode>,
  ),
);

/** Resolves once the browser has had the time to paint: where all arrives at once, the scripts would come before the heading. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100); // a tab in the background has no frames
  });
}
