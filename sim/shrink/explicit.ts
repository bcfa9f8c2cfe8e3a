/** A run told as a scenario without chance in it: every write and every fault that happened, at its time. */
import { tagValue, type TaggedValue } from "../../core/trace/tagged-value.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Op } from "../../core/node/store.ts";
import type { Run } from "../run.ts";
import type { OpJson, RowJson, Scenario, Workload } from "../scenario/scenario.ts";

/** `run` was recorded. */
export function explicitScenario(run: Run): Scenario {
  const { scenario } = run;
  const writes: Workload[] = run.ranTasks.map(({ atUs, node, ops }) => ({
    kind: "ops",
    atMs: atUs / 1000,
    node,
    ops: ops.map(opJson),
  }));
  const planned = scenario.workload.filter((work) => work.kind !== "random");
  return {
    ...scenario,
    workload: [...planned, ...writes],
    faults: run.faults.ran.map(({ fault }) => fault),
  };
}

function opJson(op: Op): OpJson {
  switch (op[0]) {
    case "insert":
    case "upsert":
      return [op[0], op[1], rowJson(op[2])];
    case "update":
      return ["update", op[1], rowJson(op[2]), rowJson(op[3])];
    case "delete":
      return ["delete", op[1], rowJson(op[2])];
  }
}

function rowJson(row: Readonly<Record<string, Value>>): RowJson {
  const json: Record<string, TaggedValue> = {};
  for (const [column, value] of Object.entries(row)) json[column] = tagValue(value);
  return json;
}
