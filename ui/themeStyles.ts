import { CssBaseline, ThemeProvider } from "@mui/material";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import type { Plugin } from "vite";
import { theme } from "./src/theme.ts";

const NAME = "virtual:theme.css";

/**
 * `import "virtual:theme.css"`: the theme's variables and MUI's baseline as a style sheet. MUI would write the same at each
 * visit, in the browser, before anything is seen.
 */
export function themeStyles(): Plugin {
  return {
    name: "visionlab-theme-styles",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? css() : null),
  };
}

function css(): string {
  const page = renderToStaticMarkup(
    createElement(ThemeProvider, { theme }, createElement(CssBaseline, { enableColorScheme: true })),
  );
  const sheets = [...page.matchAll(/<style[^>]*>(.*?)<\/style>/gs)].map(([, sheet]) => sheet);
  if (sheets.length === 0) throw new Error("MUI wrote no style sheet of the theme");
  return sheets.join("\n");
}
