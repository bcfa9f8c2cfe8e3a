/** Nodes × rows: what each node lacks or has otherwise than a reference state, at one moment. */
import { heldSince, type HeldIndex } from "./held.ts";
import { type RowReader, sees, type Vision } from "./row-reader.ts";
import type { Trace } from "./trace.ts";

export const Difference = { same: 0, missing: 1, differs: 2, extra: 3 } as const;
export const differenceNames = ["same", "missing", "differs", "extra"] as const;

/** `written`: the merge of everything written so far; `end`: the state that the run ends with. */
export type Reference = "written" | "end";

export interface TableDiff {
  /** By node: rows missing, differing, and there though the reference has none. */
  readonly missing: Int32Array;
  readonly differs: Int32Array;
  readonly extra: Int32Array;
  /** Living rows of the reference. */
  readonly rows: number;
}

export function nodeVision(held: HeldIndex, n: number, event: number): Vision {
  return { since: heldSince(held, n, event), event };
}

/** @param alive by version, 1 where some node holds it at the end (`survivors`). */
export function referenceVision(
  trace: Trace,
  alive: Uint8Array,
  reference: Reference,
  event: number,
): Vision {
  if (reference === "written") return { since: trace.versions.commit, event };
  const since = Int32Array.from(alive, (survives) => survives - 1);
  return { since, event: 0 };
}

/** How the row looks to each of `nodes` against the reference; see `Difference`. */
export function compareRow(
  reader: RowReader,
  row: number,
  reference: Vision,
  nodes: readonly Vision[],
  out: Uint8Array,
): void {
  const { writeStart, writeVersion } = reader.trace.rows;
  const from = writeStart[row] as number;
  const to = writeStart[row + 1] as number;
  let expected = -1;
  for (const [i, vision] of nodes.entries()) {
    let equal = true;
    for (let w = from; w < to && equal; w++) {
      const version = writeVersion[w] as number;
      equal = sees(vision, version) === sees(reference, version);
    }
    if (equal) {
      out[i] = Difference.same;
      continue;
    }
    if (expected < 0) expected = reader.causalLength(row, reference);
    const there = reader.causalLength(row, vision) % 2 === 1;
    if (expected % 2 === 1 && !there) out[i] = Difference.missing;
    else if (expected % 2 === 0) out[i] = there ? Difference.extra : Difference.same;
    else out[i] = reader.same(row, vision, reference) ? Difference.same : Difference.differs;
  }
}

/** Counts by table (index in `trace.rows.tables`) and node. */
export function diffTables(
  reader: RowReader,
  reference: Vision,
  nodes: readonly Vision[],
): TableDiff[] {
  const { rows } = reader.trace;
  const empty = (): Int32Array => new Int32Array(nodes.length);
  const diffs = rows.tables.map(() => ({
    missing: empty(),
    differs: empty(),
    extra: empty(),
    rows: 0,
  }));
  const out = new Uint8Array(nodes.length);
  for (let row = 0; row < rows.count; row++) {
    const diff = diffs[rows.table[row] as number];
    if (diff === undefined) continue;
    diff.rows += reader.causalLength(row, reference) % 2;
    compareRow(reader, row, reference, nodes, out);
    for (let i = 0; i < nodes.length; i++) {
      const kind = out[i];
      if (kind === Difference.same) continue;
      const counts =
        kind === Difference.missing
          ? diff.missing
          : kind === Difference.extra
            ? diff.extra
            : diff.differs;
      counts[i] = (counts[i] as number) + 1;
    }
  }
  return diffs;
}
