/** Every built-in scenario ends as it expects, and its trace keeps the promises of the format. */
import { describe, expect, test } from "vitest";
import { createRun } from "../../sim/run.ts";
import { buildScenario, builtIns } from "../../sim/scenarios/built-in.ts";
import { checkTrace, type Trace } from "./trace-reader.ts";

/** Smaller ones say as much in less time. */
const nodesHere: Readonly<Record<string, number>> = { "churn-100": 30 };

describe.each(builtIns.map((builtIn) => [builtIn.name, builtIn] as const))(
  "%s",
  (_name, builtIn) => {
    const scenario = buildScenario(builtIn, nodesHere[builtIn.name]);
    const lines: string[] = [];
    const run = createRun(scenario, { seed: "1", trace: (line) => lines.push(line) });

    test("SI27: ends as it expects", () => {
      run.step(Infinity);
      const result = run.result();
      expect(result.violations).toEqual([]);
      expect(result.ok).toBe(true);
      expect(result.writes.lost).toBe(0);
      for (const fault of scenario.faults) {
        if (fault.kind in result.faults || fault.kind === "random") continue;
        expect(["heal", "restart", "resume", "unblock"]).toContain(fault.kind);
      }
    });

    test("SI15: its trace keeps the promises of the format", () => {
      const [header, ...events] = lines.map((line) => JSON.parse(line) as unknown);
      const trace = { header, lines: events } as Trace;
      expect(trace.header.options).toEqual(JSON.parse(JSON.stringify(scenario)));
      expect(checkTrace(trace)).toEqual([]);
    });
  },
);
