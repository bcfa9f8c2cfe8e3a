/** Looks at a run between its events: how far its nodes are apart, moment by moment. */
import { assert } from "../../core/base/assert.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import type { Run } from "../../sim/run.ts";

type SimNode = Run["world"]["nodes"][number];

/** One moment of a run. */
export interface Moment {
  readonly atMs: number;
  /** By node: versions that some running node holds and this one does not; null while it does not run. */
  readonly missing: readonly (number | null)[];
  /** Versions held by at least one running node. */
  readonly versions: number;
  /** Rows that are not the same on all running nodes, of all rows that any of them shows. */
  readonly rowsApart: number;
  readonly rows: number;
  /** Different data states among the running nodes. */
  readonly states: number;
}

export function lookAt(run: Run): Moment {
  const { nodes } = run.world;
  const running = nodes.filter((node) => node.live && node.replica !== null && node.store !== null);
  const known = new Map<string, IntervalSet>();
  for (const node of running) {
    for (const { actor, held } of node.replica?.ledger.actors() ?? []) {
      const union = known.get(actor);
      if (union === undefined) known.set(actor, held.clone());
      else union.addAll(held);
    }
  }
  let versions = 0;
  for (const union of known.values()) versions += union.count;
  const { rowsApart, rows } = compareRows(running);
  return {
    atMs: run.nowUs / 1000,
    missing: nodes.map((node) =>
      running.includes(node) ? versions - (node.replica?.ledger.heldVersions ?? 0) : null,
    ),
    versions,
    rowsApart,
    rows,
    states: new Set(running.map((node) => node.summary.hash)).size,
  };
}

/** Rows are told apart by what a reader sees: their values. */
function compareRows(nodes: readonly SimNode[]): { rowsApart: number; rows: number } {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    for (const table of node.store?.tables ?? []) {
      for (const row of node.store?.rows(table.name) ?? []) {
        const text = rowText(table.name, table.keyColumns, row);
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
    }
  }
  const all = new Set<string>();
  const apart = new Set<string>();
  for (const [text, count] of counts) {
    const key = text.slice(0, text.indexOf("\n"));
    all.add(key);
    if (count < nodes.length) apart.add(key);
  }
  return { rowsApart: apart.size, rows: all.size };
}

/** The row's name, a line feed, its values. */
function rowText(table: string, keyColumns: readonly number[], row: readonly unknown[]): string {
  const plain = (_key: string, value: unknown): unknown =>
    typeof value === "bigint" ? `${value}n` : value;
  const key = JSON.stringify([table, ...keyColumns.map((i) => row[i])], plain);
  return `${key}\n${JSON.stringify(row, plain)}`;
}

/**
 * The moments as `columns` slots of equal length from 0 to `endMs`. In each slot the moment stands
 * at which the nodes were furthest apart, so that a short trouble is not lost between two looks.
 */
export function slots(
  moments: readonly Moment[],
  endMs: number,
  columns: number,
): (Moment | null)[] {
  assert(endMs > 0 && columns > 0, "a strip has a length");
  const strip: (Moment | null)[] = Array.from({ length: columns }, () => null);
  for (const moment of moments) {
    const column = Math.min(columns - 1, Math.floor((moment.atMs / endMs) * columns));
    const there = strip[column];
    if (there === null || there === undefined || furthest(moment) > furthest(there))
      strip[column] = moment;
  }
  // A slot shorter than the time between two looks shows what was seen last.
  for (let i = 1; i < columns; i++) strip[i] ??= strip[i - 1] ?? null;
  return strip;
}

function furthest(moment: Moment): number {
  return moment.missing.reduce((sum: number, n) => sum + (n ?? 0), 0);
}
