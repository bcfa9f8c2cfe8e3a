/**
 * One simulated run in a process of its own, so that its memory is its own: reads what to run from
 * its argument, prints what was measured as JSON.
 */
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

function go(): Row {
  const scenario = scenarioOf(cell);
  const before = process.cpuUsage();
  const run = createRun(scenario, {
    seed: cell.seed,
    ...(cell.checked ? {} : { checks: [] }),
  });
  run.step(cell.virtualSec * 1000 * 1000);
  const { user, system } = process.cpuUsage(before);
  const { messages, atMs } = run.progress();
  return {
    messages,
    virtualMs: atMs,
    cpuSeconds: (user + system) / 1e6,
    peakMb: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
  };
}

// A short run is measured as compiled as in the midst of a sweep.
if (cell.kind !== "membership") go();
process.stdout.write(JSON.stringify(go()));
