/** The same scenario in the simulator and with real processes: the distributions laid over each other. */
import { NodeStartError } from "../../runtime/cluster/node-process.ts";
import { type Claim, experiment, type Size } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { type Estimate, estimate, rounded } from "../bench/statistics.ts";
import { plot } from "./plot.ts";
import { realCrashes, realSpread } from "./real.ts";
import { simulatedCrashes, simulatedSpread } from "./simulated.ts";

export type World = "simulated" | "real";
/** `crash`: a node is killed, until each other holds it down. `spread`: a commit, until all have it. */
export type What = "crash" | "spread";

export type Cell = Readonly<{
  world: World;
  what: What;
  nodes: number;
  samples: number;
  seed: string;
}>;

export type Row = Readonly<{
  /** Milliseconds, ascending, separated by spaces. */
  values: string;
  /** Why there are none: processes that cannot run on this machine. */
  skipped: string | null;
}>;

export interface Line extends Omit<Cell, "seed" | "samples"> {
  readonly values: readonly number[];
  /** Null without values. */
  readonly ms: Estimate | null;
  readonly skipped: string | null;
}

export interface Summary {
  readonly lines: readonly Line[];
}

function cells(size: Size, seed: string): Cell[] {
  const full = size === "full";
  const nodes = full ? 5 : 3;
  const samples = { crash: full ? 12 : 6, spread: full ? 200 : 20 };
  const cell = (world: World, what: What): Cell => ({
    world,
    what,
    nodes,
    samples: samples[what],
    seed,
  });
  const simulated = [
    { ...cell("simulated", "crash"), samples: full ? 60 : 6 },
    cell("simulated", "spread"),
  ];
  // A crash takes seconds to be found: not for a quick run.
  return [...simulated, ...(full ? [cell("real", "crash")] : []), cell("real", "spread")];
}

async function runCell({ world, what, nodes, samples, seed }: Cell): Promise<Row> {
  let values: readonly number[];
  try {
    values =
      world === "simulated"
        ? (what === "crash" ? simulatedCrashes : simulatedSpread)(nodes, samples, seed)
        : await (what === "crash" ? realCrashes : realSpread)(nodes, samples);
  } catch (error) {
    // No QUIC library for this platform, no ports: then reality is left out, and the page says why.
    if (!(error instanceof NodeStartError)) throw error;
    return { values: "", skipped: error.message };
  }
  const sorted = values.map((ms) => rounded(ms, 3)).toSorted((a, b) => a - b);
  return { values: sorted.join(" "), skipped: null };
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const lines = rows.map(({ world, what, nodes, values, skipped }): Line => {
    const list = values === "" ? [] : values.split(" ").map(Number);
    return {
      world,
      what,
      nodes,
      values: list,
      ms: list.length === 0 ? null : estimate(list),
      skipped,
    };
  });
  return { lines };
}

function medianOf({ lines }: Summary, world: World, what: What): number | null {
  return lines.find((line) => line.world === world && line.what === what)?.ms?.median ?? null;
}

/** The largest distance between the two distributions (Kolmogorov and Smirnov). */
export function distance(a: readonly number[], b: readonly number[]): number {
  const below = (list: readonly number[], x: number): number =>
    list.filter((value) => value <= x).length / list.length;
  return Math.max(...[...a, ...b].map((x) => Math.abs(below(a, x) - below(b, x))));
}

function claims(summary: Summary, size: Size): Claim[] {
  const skipped = summary.lines.find((line) => line.skipped !== null)?.skipped ?? null;
  if (skipped !== null)
    return [{ text: `Real processes cannot run here: ${skipped}`, holds: true }];
  const both = (what: What) =>
    [medianOf(summary, "simulated", what) ?? NaN, medianOf(summary, "real", what) ?? NaN] as const;
  const [simSpread, realSpreadMs] = both("spread");
  const spread: Claim = {
    text: `A commit is on all nodes after ${simSpread.toFixed(1)} ms in the simulator and ${realSpreadMs.toFixed(1)} ms in reality (medians): what lies between is the work of the processes, which the simulator counts as nothing.`,
    holds: realSpreadMs > simSpread && realSpreadMs < (size === "full" ? 100 : 2000),
  };
  if (size === "quick") return [spread];
  const [simCrash, realCrash] = both("crash");
  const find = (world: World): readonly number[] =>
    summary.lines.find((line) => line.world === world && line.what === "crash")?.values ?? [];
  const apart = distance(find("simulated"), find("real"));
  return [
    {
      text: `A killed node is held down after ${(simCrash / 1000).toFixed(2)} s in the simulator and ${(realCrash / 1000).toFixed(2)} s in reality (medians over observers): within 10 %.`,
      holds: Math.abs(realCrash / simCrash - 1) < 0.1,
    },
    {
      text: `The two distributions of that time are at most ${(apart * 100).toFixed(0)} % of the observations apart at any point.`,
      holds: apart < 0.35,
    },
    spread,
  ];
}

function values({ lines }: Summary): Record<string, string> {
  const cell = (ms: Estimate | null, of: (ms: Estimate) => number): string =>
    ms === null ? "–" : of(ms).toFixed(1);
  const table = markdownTable([
    ["scenario, world", "nodes", "observations", "median, ms", "95 % interval", "least", "most"],
    ...lines.map(({ world, what, nodes, values: list, ms }) => [
      `${what}, ${world}`,
      String(nodes),
      String(list.length),
      cell(ms, ({ median }) => median),
      ms === null ? "–" : `${ms.low.toFixed(1)}–${ms.high.toFixed(1)}`,
      cell(ms, ({ least }) => least),
      cell(ms, ({ most }) => most),
    ]),
  ]);
  return { table };
}

export default experiment<Cell, Row, Summary>({
  name: "09-sim-and-reality",
  title: "Simulation and reality",
  question:
    "Does the same scenario take the same time in the simulator and with real processes on loopback?",
  measured: ["values", "skipped"],
  cells,
  weight: ({ world }) => (world === "real" ? 50 : 1),
  runCell,
  summarise,
  claims,
  plot,
  values,
});
