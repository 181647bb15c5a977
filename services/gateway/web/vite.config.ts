import { defineConfig } from "vitest/config";

// `npm run dev` finds the gateway at RIDESTREAM_GATEWAY. The built page uses its own host.
const gateway = process.env.RIDESTREAM_GATEWAY ?? "http://127.0.0.1:7000";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  worker: { format: "es" },
  build: {
    outDir: "dist",
    target: "es2022",
    // The map library is a megabyte.
    chunkSizeWarningLimit: 1500,
    rollupOptions: { output: { manualChunks: { map: ["maplibre-gl/dist/maplibre-gl-csp.js"] } } },
  },
  server: { proxy: { "^/(ridestream\\.|session|sign-)": { target: gateway, ws: true } } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
