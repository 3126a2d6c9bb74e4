import react from "@vitejs/plugin-react";
import type { Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { firstLook } from "./firstLook.ts";
import { themeStyles } from "./themeStyles.ts";

type ModuleInfo = Pick<Rolldown.ModuleInfo, "importers" | "dynamicImporters">;

const api = process.env.VISIONLAB_API ?? "http://127.0.0.1:8000";

/** Small things of which every page has some: each is less than asking for it costs. */
const SMALL = /\/node_modules\/(lucide-react|@mui\/(system|utils|styled-engine))\//;
/** Lists of all that there is; that they are imported says nothing. */
const BARREL = /\/node_modules\/@mui\/material\/(esm\/)?index\.m?js$/;

/** Whether every page loads it: it is small, or comes with what main.ts runs. */
function isBase(id: string, module: (id: string) => ModuleInfo | null, seen = new Set<string>()): boolean {
  if (SMALL.test(id)) return true;
  const info = module(id);
  if (!info || seen.has(id) || BARREL.test(id)) return false;
  seen.add(id);
  return (
    info.dynamicImporters.some((importer) => importer.endsWith("/src/main.ts")) ||
    info.importers.some((importer) => isBase(importer, module, seen))
  );
}

/** A file of what every page loads, as far as it is not in one before. */
function baseGroup(name: string, test: RegExp): Rolldown.CodeSplittingGroup {
  return {
    debugName: name,
    name: (id, graph) => (test.test(id) && isBase(id, (each) => graph.getModuleInfo(each)) ? name : null),
  };
}

export default defineConfig({
  plugins: [react(), themeStyles(), firstLook()],
  server: { proxy: { "/backend": api } },
  build: {
    target: "es2022",
    // Fonts and pictures stay files of their own: the Content-Security-Policy allows no font from a data: address.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // Few files in place of twenty: over HTTP/1.1 each of them waits for a connection.
        codeSplitting: {
          groups: [
            { name: "load", test: /vite\/preload-helper/ },
            // What main.ts runs in turn.
            baseGroup("react", /\/node_modules\/(react|react-dom|scheduler)\/|\/start\/react\.ts$/),
            baseGroup("router", /\/node_modules\/(react-router|@tanstack)\/|\/start\/router\.ts$/),
            baseGroup("widgets", /\/node_modules\/(@mui|@emotion|@popperjs|stylis)\/|\/start\/widgets\.ts$/),
            baseGroup("theme", /\/src\/theme\.ts$/),
            baseGroup("base", /./),
          ],
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    setupFiles: "src/test.setup.ts",
    restoreMocks: true,
    // Machines that do other things at the same time are slow.
    testTimeout: 30_000,
    // MUI reaches for files that Node does not resolve as modules by itself.
    server: { deps: { inline: [/@mui/] } },
  },
});
