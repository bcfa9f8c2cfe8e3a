/**
 * What is causally later wins: a transaction's stamp is larger than that of every version held by
 * its node that wrote the same cells, and its rows never go back to an older life (rule 5 of the
 * merge). No author uses one stamp twice.
 */
import type { ActorId } from "../../core/base/ids.ts";
import { compareHlc, formatHlc, type Hlc } from "../../core/clock/hlc.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { RowChange } from "../../core/wire/changes.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";
import { laterThan, type VersionRecord, type Write, type WrittenRow } from "./history.ts";

/** Older writes of a hot row were compared with these when they were committed. */
const writesCompared = 32;

export class CausalOrder implements Check {
  readonly #context: CheckContext;
  readonly #stamps = new Map<ActorId, Hlc[]>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  /** Called after the version is in the history. */
  committed(node: SimNode, chunks: readonly Chunk[]): void {
    const first = chunks[0] as Chunk;
    const version = this.#context.history.get(first.actor, first.version);
    if (version === undefined || version.chunks !== chunks) return;
    this.#stampIsNew(node, version);
    for (let i = 0; i < version.rows.length; i++) {
      const row = version.rows[i] as RowChange;
      const { writes } = version.written[i] as WrittenRow;
      // Mostly it stands above whatever was written before, and so above all of it.
      if (writes.at(-1)?.onTop === true) continue;
      for (let k = Math.max(0, writes.length - writesCompared); k < writes.length; k++) {
        const before = writes[k] as Write;
        if (before.version === version || isOver(version, row, before)) continue;
        // Few are in doubt, so it is asked last whether the node held them.
        const { actor, version: number } = before.version;
        if (node.replica?.ledger.get(actor)?.held.has(number) !== true) continue;
        this.#report(node, version, row, before);
      }
    }
  }

  #stampIsNew(node: SimNode, version: VersionRecord): void {
    let used = this.#stamps.get(version.actor);
    if (used === undefined) {
      used = [];
      this.#stamps.set(version.actor, used);
    }
    if (addStamp(used, version.hlc)) return;
    const stamp = formatHlc(version.hlc);
    this.#context.report(
      "causal-order",
      node.n,
      `${name(version)} has the stamp ${stamp}, which its author used before`,
    );
  }

  #report(node: SimNode, version: VersionRecord, row: RowChange, before: Write): void {
    const earlier = before.version;
    this.#context.report(
      "causal-order",
      node.n,
      row.causalLength < before.row.causalLength
        ? `${name(version)} writes causal length ${row.causalLength} over ${before.row.causalLength} of ${name(earlier)}, which its node held`
        : `${name(version)} stamped ${formatHlc(version.hlc)} overwrites ${name(earlier)} stamped ${formatHlc(earlier.hlc)}, which its node held`,
    );
  }
}

/** Does what `version` wrote of a row stand above `before`, or beside it? */
function isOver(version: VersionRecord, row: RowChange, before: Write): boolean {
  if (row.causalLength !== before.row.causalLength) {
    return row.causalLength > before.row.causalLength;
  }
  if (laterThan(version, before.version)) return true;
  return row.cells.length > 0 && !shareColumn(row, before.row);
}

function shareColumn(a: RowChange, b: RowChange): boolean {
  return a.cells.some(({ column }) => b.cells.some((cell) => cell.column === column));
}

/** Keeps a stamp among those of its author, ascending; false when it is there. */
function addStamp(used: Hlc[], stamp: Hlc): boolean {
  let at = used.length;
  while (at > 0 && compareHlc(used[at - 1] as Hlc, stamp) > 0) at--;
  if (at > 0 && compareHlc(used[at - 1] as Hlc, stamp) === 0) return false;
  if (at === used.length) used.push(stamp);
  else used.splice(at, 0, stamp);
  return true;
}

function name(version: VersionRecord): string {
  return `version ${version.version} of ${version.actor.slice(0, 8)}`;
}
