/**
 * The simulated runs of one cell in a process of their own, so that their memory is their own: reads
 * what to run from its argument, prints what was measured as JSON.
 */
import { tidyUp } from "../../runtime/cli/sim-engine.ts";
import { createRun } from "../../sim/run.ts";
import { parseScenario } from "../../sim/scenario/parse.ts";
import { buildScenario, findBuiltIn } from "../../sim/scenarios/built-in.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { Cell, Row } from "./run.ts";

const cell = JSON.parse(process.argv[2] ?? "{}") as Cell;

/** A warm cluster of memberships and idle replicas: 1 % loss, a crash every three seconds. */
function membership(nodes: number, durationMs: number): Scenario {
  const crashes = Math.max(1, Math.floor(durationMs / 3000) - 1);
  const parsed = parseScenario(
    {
      nodes,
      durationMs,
      start: "warm",
      network: { latencyMs: { min: 0.25, max: 0.75 }, loss: 0.01 },
      faults: Array.from({ length: crashes }, (_, i) => ({
        kind: "crash",
        atMs: 3000 * (i + 1),
        node: Math.floor(((i + 0.5) * nodes) / crashes),
        disk: "kept",
      })),
    },
    "scale",
  );
  if (!parsed.ok) throw new RangeError(parsed.error);
  return parsed.scenario;
}

function scenarioOf({ kind, nodes, virtualSec }: Cell): Scenario {
  if (kind === "membership") return membership(nodes, virtualSec * 1000);
  const found = findBuiltIn(kind);
  if (found === null) throw new RangeError(`no built-in scenario ${kind}`);
  return buildScenario(found, nodes);
}

/** Runs of the cell, each with a seed of its own as in a sweep. */
function repeat(scenario: Scenario, runs: number): Omit<Row, "youngMiB"> {
  const before = process.cpuUsage();
  const sum = { messages: 0, virtualMs: 0 };
  for (let i = 0; i < runs; i++) {
    const run = createRun(scenario, {
      seed: `${cell.seed}-${i}`,
      ...(cell.checked ? {} : { checks: [] }),
    });
    run.step(cell.virtualSec * 1000 * 1000);
    const { messages, atMs } = run.progress();
    sum.messages += messages;
    sum.virtualMs += atMs;
    run.abandon();
    // As the threads of a sweep do.
    tidyUp();
  }
  return {
    ...sum,
    cpuSeconds: cpuSecondsSince(before),
    peakMb: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
  };
}

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const warmUpSeconds = 6;
const scenario = scenarioOf(cell);
// The engine goes on compiling for some seconds; a sweep over thousands of seeds runs for minutes.
if (cell.runs > 1) {
  const before = process.cpuUsage();
  do repeat(scenario, 2 * cell.runs);
  while (cpuSecondsSince(before) < warmUpSeconds);
}
process.stdout.write(JSON.stringify(repeat(scenario, cell.runs)));
