import react from "@vitejs/plugin-react";
import type { Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { firstLook } from "./firstLook.ts";

type ModuleInfo = Pick<Rolldown.ModuleInfo, "isEntry" | "importers">;

const api = process.env.VISIONLAB_API ?? "http://127.0.0.1:8000";

/** Small things of which every page has some: each is less than asking for it costs. */
const SMALL = /\/node_modules\/(lucide-react|@mui\/(system|utils|styled-engine))\//;
/** Lists of all that there is; that they are imported says nothing. */
const BARREL = /\/node_modules\/@mui\/material\/(esm\/)?index\.m?js$/;

/** Whether every page loads it: it is small, or what the application itself imports. */
function isBase(id: string, module: (id: string) => ModuleInfo | null, seen = new Set<string>()): boolean {
  if (SMALL.test(id)) return true;
  const info = module(id);
  if (!info || seen.has(id) || BARREL.test(id)) return false;
  seen.add(id);
  return info.isEntry || info.importers.some((importer) => isBase(importer, module, seen));
}

export default defineConfig({
  plugins: [react(), firstLook()],
  server: { proxy: { "/backend": api } },
  build: {
    target: "es2022",
    // Fonts and pictures stay files of their own: the Content-Security-Policy allows no font from a data: address.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // One file in place of twenty: over HTTP/1.1 each of them waits for a connection.
        codeSplitting: {
          groups: [
            {
              debugName: "base",
              name: (id, graph) => (isBase(id, (each) => graph.getModuleInfo(each)) ? "base" : null),
            },
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
