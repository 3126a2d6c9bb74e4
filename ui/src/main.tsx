import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { loadText, preferredLanguage } from "./text";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const text = await loadText(preferredLanguage());
createRoot(root).render(
  <StrictMode>
    <App first={text} />
  </StrictMode>,
);
