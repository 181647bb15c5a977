import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// One file after the other: each has the whole machine's few cores for its city and its browser.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: {
    include: ["**/*.e2e.ts"],
    environment: "node",
    fileParallelism: false,
    // Longer than what is waited for in a test, which then says what it was.
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
