/**
 * `npm run bench swim`: how fast, how quiet and how right membership is, beside the published
 * figures of others and the goals, in one and the same simulated network.
 */
import { parseArgs } from "node:util";
import { formatCount, formatDuration, formatTable, median, plural } from "../cli/format.ts";
import type { Row, Size } from "./swim-row.ts";
import { broadcastRows } from "./gossip-rows.ts";
import { membershipRows } from "./swim-rows.ts";

const usage = `usage: npm run bench swim -- [--nodes 100,1000] [--seeds K] [--rows a,b] [--quick]

  --nodes N,…   sizes of the cluster (default 100,1000)
  --seeds K     so many seeds for every row, instead of each row's own number
  --rows a,b    only these rows: ${[...membershipRows, ...broadcastRows].map(({ key }) => key).join(", ")}
  --quick       3 seeds at most
`;

/** Rows of other rooms' benches can be added here; each is printed where it has figures or a goal. */
const registry: readonly Row[] = [...membershipRows, ...broadcastRows];

const quickSeeds = 3;

interface Plan {
  readonly sizes: readonly number[];
  readonly rows: readonly Row[];
  seeds(row: Row, nodes: number): number;
}

// oxlint-disable-next-line typescript/require-await -- a bench may take its time; this one does not wait
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: "string", default: "100,1000" },
      seeds: { type: "string" },
      rows: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const plan = planOf(values);
  if (values.help || plan === null) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  for (const nodes of plan.sizes) printSize(plan, nodes);
}

function planOf(values: {
  nodes: string;
  seeds?: string;
  rows?: string;
  quick: boolean;
}): Plan | null {
  const sizes = values.nodes.split(",").map(Number);
  const asked = values.seeds === undefined ? null : Number(values.seeds);
  const keys = values.rows?.split(",") ?? registry.map(({ key }) => key);
  const rows = registry.filter(({ key }) => keys.includes(key));
  const whole = [...sizes, asked ?? 1].every((n) => Number.isInteger(n) && n > 0);
  if (!whole || Math.min(...sizes) < 2 || rows.length !== new Set(keys).size) return null;
  return {
    sizes,
    rows,
    seeds: (row, nodes) => {
      const own = asked ?? row.seeds(nodes);
      return values.quick ? Math.min(own, quickSeeds) : own;
    },
  };
}

function printSize(plan: Plan, nodes: number): void {
  const began = performance.now();
  const head = [`${formatCount(nodes)} members`, "foca", "memberlist", "goal", "Patina", "worst"];
  const lines: string[][] = [[...head, "seeds", ""]];
  for (const row of plan.rows) {
    const seeds = plan.seeds(row, nodes);
    if (seeds === 0) continue;
    process.stderr.write(`${row.title.trim()}: ${plural(seeds, "seed")} …\n`);
    const figures = Array.from({ length: seeds }, (_, i) => row.measure(nodes, `swim-${i}`));
    lines.push(lineOf(row, nodes, figures));
  }
  const table = formatTable(lines, [
    "left",
    "right",
    "right",
    "right",
    "right",
    "right",
    "right",
    "left",
  ]);
  process.stdout.write(`${table.join("\n")}\n`);
  process.stdout.write(`(took ${formatDuration(performance.now() - began)})\n\n`);
}

function lineOf(row: Row, nodes: number, figures: readonly number[]): string[] {
  const middle = median(figures);
  const worst = Math.max(...figures);
  const size = nodes as Size;
  const goal = row.goal[size];
  const held = row.judged === "median" ? middle : worst;
  const verdict = typeof goal !== "number" ? "" : held <= goal ? "reached" : missedBy(held, goal);
  const shown = [row.foca[size], row.memberlist[size], goal].map((figure) =>
    figure === undefined ? "–" : typeof figure === "number" ? formatCount(figure) : figure,
  );
  const own = [middle, worst].map((figure) => formatFigure(figure, row.digits));
  return [row.title, ...shown, ...own, String(figures.length), verdict];
}

function formatFigure(figure: number, digits: number): string {
  return Number.isFinite(figure) ? formatCount(Number(figure.toFixed(digits))) : "never";
}

function missedBy(held: number, goal: number): string {
  if (!Number.isFinite(held)) return "MISSED";
  return `MISSED by ${formatFigure(held - goal, 2)}`;
}
