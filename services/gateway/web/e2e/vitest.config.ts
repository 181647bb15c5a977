import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// One file at a time, because each needs all cores of a small machine for its city and its browser.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: {
    include: ["**/*.e2e.ts"],
    environment: "node",
    fileParallelism: false,
    // Longer than the waits inside a test, which report what they waited for.
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
