/** The results of an experiment, and the part of them that a shard has. */
import type { Claim, Experiment, Flat, Size } from "./experiment.ts";

/** Cells run, and what they cost. */
export interface Plan {
  readonly experiment: string;
  readonly size: Size;
  readonly seed: string;
}

export interface Results extends Plan {
  /** What repeats it. */
  readonly command: string;
  /** How it was run; of no meaning for what came out. */
  readonly run: { readonly node: string; readonly cpuSeconds: number };
  readonly claims: readonly Claim[];
  readonly summary: object;
  /** Cells and what was measured in them, in the order of the cells. */
  readonly rows: readonly Flat[];
}

export interface Done {
  /** The cell's place in the list of all. */
  readonly index: number;
  readonly cpuSeconds: number;
  readonly row: Flat;
}

export interface Shard extends Plan {
  readonly shard: { readonly index: number; readonly of: number; readonly node: string };
  readonly done: readonly Done[];
}

export function commandOf({ experiment, size, seed }: Plan): string {
  const quick = size === "quick" ? " --quick" : "";
  return `patina experiment run ${experiment}${quick} --seed ${seed}`;
}

/** @param done of every cell, in any order. */
export function resultsOf(
  experiment: Experiment,
  plan: Plan,
  done: readonly Done[],
  node: string,
): Results {
  const ordered = done.toSorted((a, b) => a.index - b.index);
  const rows = ordered.map(({ row }) => row);
  const summary = experiment.summarise(rows);
  const cpuSeconds = ordered.reduce((sum, each) => sum + each.cpuSeconds, 0);
  return {
    ...plan,
    command: commandOf(plan),
    run: { node, cpuSeconds: Math.round(cpuSeconds * 10) / 10 },
    claims: experiment.claims(summary, plan.size),
    summary,
    rows,
  };
}

/** Everything that follows from the rows, computed anew. */
export function recomputed(experiment: Experiment, results: Results): Results {
  const { experiment: name, size, seed, run, rows } = results;
  const plan = { experiment: name, size, seed };
  const summary = experiment.summarise(rows);
  const claims = experiment.claims(summary, size);
  return { ...plan, command: commandOf(plan), run, claims, summary, rows };
}

/** A row a line, so that two results can be compared line by line. */
export function resultsText(results: Results): string {
  const { rows, ...head } = results;
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": [\n${lines}\n  ]\n}\n`;
}

/** RFC 4180, with a header. */
export function csvText(rows: readonly Flat[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((column) => csvCell(row[column] ?? "")).join(","));
  return [columns.join(","), ...lines, ""].join("\n");
}

function csvCell(value: string | number | boolean): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
