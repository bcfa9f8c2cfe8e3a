import { defineConfig } from "vitest/config";

// Where `.ci/run` wants the counts.
const report = process.env["PATINA_TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Simulated clusters take seconds of CPU; the machines are shared, so no test is timed tightly.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
  },
});
