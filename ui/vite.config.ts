import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.VISIONLAB_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/backend": api } },
  build: {
    target: "es2022",
    // Fonts and pictures stay files of their own: the Content-Security-Policy allows no font from a data: address.
    assetsInlineLimit: 0,
  },
  test: {
    environment: "jsdom",
    setupFiles: "src/test.setup.ts",
    restoreMocks: true,
    // MUI reaches for files that Node does not resolve as modules by itself.
    server: { deps: { inline: [/@mui/] } },
  },
});
