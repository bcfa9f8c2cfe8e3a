/**
 * What is causally later wins: a transaction's stamp is larger than that of every version held by
 * its node that wrote the same cells, and its rows never go back to an older life (rule 5 of the
 * merge). No author uses one stamp twice.
 */
import { formatHlc } from "../../core/clock/hlc.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { RowChange } from "../../core/wire/changes.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";
import type { VersionRecord } from "./history.ts";
import { laterThan } from "./model.ts";

/** Older writes of a hot row were compared with these when they were committed. */
const writesCompared = 32;

export class CausalOrder implements Check {
  readonly #context: CheckContext;
  readonly #stamps = new Map<string, Set<string>>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  /** Called after the version is in the history. */
  committed(node: SimNode, chunks: readonly Chunk[]): void {
    const first = chunks[0] as Chunk;
    const version = this.#context.history.get(first.actor, first.version);
    if (version === undefined || version.chunks !== chunks) return;
    this.#stampIsNew(node, version);
    const ledger = node.replica?.ledger;
    version.rows.forEach((row, i) => {
      const writes = this.#context.history.writesOf(version.rowNames[i] as string);
      for (const earlier of writes.slice(-writesCompared)) {
        if (earlier === version || ledger?.get(earlier.actor)?.held.has(earlier.version) !== true)
          continue;
        this.#compare(
          node,
          version,
          row,
          earlier,
          earlier.rows[earlier.rowNames.indexOf(version.rowNames[i] as string)] as RowChange,
        );
      }
    });
  }

  #stampIsNew(node: SimNode, version: VersionRecord): void {
    const stamp = formatHlc(version.hlc);
    let used = this.#stamps.get(version.actor);
    if (used === undefined) {
      used = new Set();
      this.#stamps.set(version.actor, used);
    }
    if (used.has(stamp)) {
      this.#context.report(
        "causal-order",
        node.n,
        `${name(version)} has the stamp ${stamp}, which its author used before`,
      );
    }
    used.add(stamp);
  }

  #compare(
    node: SimNode,
    version: VersionRecord,
    row: RowChange,
    earlier: VersionRecord,
    before: RowChange,
  ): void {
    if (row.causalLength < before.causalLength) {
      this.#context.report(
        "causal-order",
        node.n,
        `${name(version)} writes causal length ${row.causalLength} over ${before.causalLength} of ${name(earlier)}, which its node held`,
      );
      return;
    }
    if (row.causalLength > before.causalLength || laterThan(version, earlier)) return;
    const columns = new Set(before.cells.map((cell) => cell.column));
    const shared = row.cells.find((cell) => columns.has(cell.column));
    if (shared === undefined && row.cells.length > 0) return;
    this.#context.report(
      "causal-order",
      node.n,
      `${name(version)} stamped ${formatHlc(version.hlc)} overwrites ${name(earlier)} stamped ${formatHlc(earlier.hlc)}, which its node held`,
    );
  }
}

function name(version: VersionRecord): string {
  return `version ${version.version} of ${version.actor.slice(0, 8)}`;
}
