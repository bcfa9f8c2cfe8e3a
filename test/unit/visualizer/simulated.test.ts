/** The page on traces of the real simulator: everything is understood, and the data shown are those the nodes ended with. */
import { describe, expect, test } from "vitest";
import type { TaggedValue } from "../../../core/trace/tagged-value.ts";
import { tagValue } from "../../../core/trace/tagged-value.ts";
import { createRun } from "../../../sim/run.ts";
import { buildScenario, findBuiltIn } from "../../../sim/scenarios/built-in.ts";
import type { Scenario } from "../../../sim/scenario/scenario.ts";
import { nodeVision } from "../../../visualizer/model/diff.ts";
import { TraceBuilder } from "../../../visualizer/model/ingest.ts";
import { RowReader } from "../../../visualizer/model/row-reader.ts";
import { statusAt } from "../../../visualizer/model/timeline.ts";
import { buildIndex, type TraceIndex } from "../../../visualizer/model/trace-index.ts";
import { runInPage } from "../../../visualizer/worker/run.ts";
import { readTrace } from "./read.ts";

function scenarioOf(name: string): Scenario {
  const builtIn = findBuiltIn(name);
  if (builtIn === null) throw new Error(`no scenario ${name}`);
  return buildScenario(builtIn);
}

/** Living rows as `--dump` writes them: key columns, then data columns in declared order, tagged. */
function rowsShown(
  reader: RowReader,
  index: TraceIndex,
  n: number,
): Record<string, TaggedValue[][]> {
  const { trace } = reader;
  const vision = nodeVision(index.held, n, trace.count - 1);
  const tables: Record<string, TaggedValue[][]> = {};
  for (let row = 0; row < trace.rows.count; row++) {
    const state = reader.state(row, vision);
    if (!state.alive) continue;
    const name = trace.rows.tables[trace.rows.table[row] as number]?.name ?? "";
    const schema = reader.policies.table(name);
    const key = reader.key(row) as TaggedValue[];
    const values = (schema?.columns ?? []).map((column, i): TaggedValue => {
      const at = schema?.keyColumns.indexOf(i) ?? -1;
      if (at >= 0) return key[at] as TaggedValue;
      const cell = state.cells.find((one) => one.column === column.name);
      return tagValue(cell === undefined ? column.defaultValue : cell.value);
    });
    (tables[name] ??= []).push(values);
  }
  return tables;
}

const sorted = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(row)).sort();

describe("simulated traces", () => {
  test.each([
    "split-heal",
    "delete-reinsert-storm",
    "crash-torn",
    "crash-lost",
    "hot-row",
    "random-nemesis",
  ])("of %s: nothing unknown, and every running node shows the rows that it ended with", (name) => {
    const parts: string[] = [];
    const run = createRun(scenarioOf(name), { seed: "page", trace: (line) => parts.push(line) });
    run.step(Infinity);
    const trace = readTrace(parts.join(""));
    expect(trace.problem).toBeNull();
    expect(trace.unknownKinds).toEqual([]);
    expect(trace.ended).toBe(true);
    expect(trace.count).toBe(parts.length - 1);
    const index = buildIndex(trace);
    const reader = new RowReader(trace);
    const end = trace.t[trace.count - 1] as number;
    for (const node of run.dump().nodes) {
      if (!node.alive || statusAt(index.timeline, node.node, end) !== "up") continue;
      const shown = rowsShown(reader, index, node.node);
      for (const [table, { rows }] of Object.entries(node.tables))
        expect(sorted(shown[table] ?? []), `${table} of n${node.node}`).toEqual(sorted(rows));
    }
  });

  test("a run in the page has the trace hash of the same run anywhere else", () => {
    const scenario = scenarioOf("split-heal");
    const run = createRun(scenario, { seed: "7" });
    run.step(Infinity);
    const builder = new TraceBuilder();
    const told: (number | null)[] = [];
    const summary = runInPage(
      { type: "run", scenario: "split-heal", seed: "7", nodes: null },
      builder,
      (share) => told.push(share),
    );
    builder.end();
    expect(summary.traceHash).toBe(run.result().traceHash);
    expect(summary.ok).toBe(true);
    expect(builder.problem).toBeNull();
    expect(told.length).toBeGreaterThan(10);
    const carried = runInPage(
      {
        type: "run",
        scenario: JSON.parse(JSON.stringify(scenario)) as Record<string, unknown>,
        seed: "7",
        nodes: null,
      },
      new TraceBuilder(),
      () => {},
    );
    expect(carried.traceHash).toBe(summary.traceHash);
  });

  test("a scenario that is unknown or not valid is refused in one line", () => {
    const run = (scenario: string | Record<string, unknown>): unknown =>
      runInPage({ type: "run", scenario, seed: "1", nodes: null }, new TraceBuilder(), () => {});
    expect(() => run("split-heel")).toThrow("Did you mean split-heal?");
    expect(() => run({ nodes: 3, durationMs: 10, colour: "red" })).toThrow(
      /scenario: colour: unknown key/,
    );
  });
});
