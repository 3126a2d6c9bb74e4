import "@fontsource-variable/bricolage-grotesque";
import "@fontsource-variable/instrument-sans";
import "virtual:theme.css";
import { StrictMode, startTransition } from "react";
import { createRoot } from "react-dom/client";
import { App, createRouter, pageLoaded } from "../App";
import { loadText, preferredLanguage } from "../text";

/** Shows the application in place of what the document holds. */
export function start(): void {
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no #root");
  const router = createRouter();
  // Where the document has the page's heading already (firstLook.ts), it stays until the page itself can take its place.
  const shown = root.querySelector(".first-page, .first-home");
  void Promise.all([loadText(preferredLanguage()), shown && pageLoaded(router)]).then(([text]) =>
    // As a transition it is made in small pieces, between which the page answers.
    startTransition(() =>
      createRoot(root).render(
        <StrictMode>
          <App first={text} router={router} />
        </StrictMode>,
      ),
    ),
  );
}
