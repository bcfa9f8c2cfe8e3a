import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Simulated clusters take seconds of CPU; the machines are shared, so no test is timed tightly.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
  },
});
