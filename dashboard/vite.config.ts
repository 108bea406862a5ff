import preact from "@preact/preset-vite";
import { defineConfig } from "vitest/config";

/** Where the API runs while the page is developed with `npm run dev`. */
const API = process.env.VIDRO_API ?? "http://127.0.0.1:8000";
const PATHS = ["/v1", "/v2", "/docs", "/redoc", "/openapi.json", "/healthz", "/readyz", "/metrics"];

export default defineConfig({
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  plugins: [preact({ devToolsEnabled: false })],
  server: { proxy: Object.fromEntries(PATHS.map((path) => [path, { target: API }])) },
  build: {
    outDir: "../service/dashboard",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the page's policy lets no data: address load a font or a style
    reportCompressedSize: true,
  },
  test: {
    environment: "jsdom",
    pool: "vmThreads", // makes jsdom once a worker, not once a file, and still isolates files
    include: ["tests/**/*.test.{ts,tsx}"],
  },
});
