/**
 * Merges prepared versions into the tables, grouped by row: rows are read many at once, all
 * versions are merged in order, and each row is written once. Memory stays bounded: when enough
 * rows are gathered they are written, and a large version is decoded chunk by chunk.
 */
import { piecesOf, type PreparedChange } from "../../core/crdt/merge.ts";
import { prepareChange } from "../../core/crdt/prepare.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk } from "../../core/node/store.ts";
import { decodeChanges } from "../../core/wire/changes.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import type { Engine } from "./engine.ts";
import type { LogOrigin } from "./log-origin.ts";
import { RowSet } from "./row-set.ts";
import type { TablePlan } from "./table-plan.ts";
import { assert } from "../../core/base/assert.ts";

/** Changes gathered before rows are read and written. */
const maxGathered = 4096;

/** A version with more payload than this is decoded once to check it and once more to merge it. */
const maxKeptBytes = 1024 * 1024;

export type PreparedVersion =
  /** `changes` is null where the version is too large to keep them. */
  | { readonly type: "applicable"; readonly changes: readonly PreparedChange[] | null }
  | { readonly type: "quarantined"; readonly why: string }
  | { readonly type: "rejected"; readonly why: string };

/** Decides what a complete version is, whole. */
export function prepareVersion(
  rules: ReadonlyMap<string, TableRules>,
  chunks: readonly Chunk[],
): PreparedVersion {
  let bytes = 0;
  for (const { payload } of chunks) bytes += payload.length;
  const kept: PreparedChange[] | null = bytes <= maxKeptBytes ? [] : null;
  try {
    for (const { payload } of chunks) {
      for (const sent of decodeChanges(payload)) {
        const change = prepareChange(rules, sent);
        if (typeof change === "string") return { type: "quarantined", why: change };
        kept?.push(change);
      }
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { type: "rejected", why: error.message };
  }
  return { type: "applicable", changes: kept };
}

interface Gathered {
  readonly origin: LogOrigin;
  readonly changes: readonly PreparedChange[];
  readonly tally: Tally;
}

interface Tally {
  won: number;
  pieces: number;
  readonly done: (won: number, lost: number) => void;
}

export class Merging {
  readonly #engine: Engine;
  #gathered: Gathered[] = [];
  #count = 0;
  readonly #tallies: Tally[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @param done is told how many pieces won and lost, at the latest when `flush` returns. */
  add(
    origin: LogOrigin,
    prepared: { readonly changes: readonly PreparedChange[] | null },
    chunks: readonly Chunk[],
    done: (won: number, lost: number) => void,
  ): void {
    const tally = { won: 0, pieces: 0, done };
    this.#tallies.push(tally);
    if (prepared.changes !== null) {
      this.#gather({ origin, changes: prepared.changes, tally });
      return;
    }
    for (const { payload } of chunks) {
      const changes = decodeChanges(payload).map((sent) => {
        const change = prepareChange(this.#engine.rules, sent);
        assert(typeof change !== "string", "a version that was found applicable still is");
        return change;
      });
      this.#gather({ origin, changes, tally });
    }
  }

  #gather(gathered: Gathered): void {
    this.#gathered.push(gathered);
    this.#count += gathered.changes.length;
    if (this.#count >= maxGathered) this.#mergeGathered();
  }

  flush(): void {
    this.#mergeGathered();
    for (const { won, pieces, done } of this.#tallies) done(won, pieces - won);
    this.#tallies.length = 0;
  }

  #mergeGathered(): void {
    const sets = this.#loadRows();
    for (const { origin, changes, tally } of this.#gathered) {
      for (const change of changes) {
        const rows = sets.get(change.rules);
        assert(rows !== undefined, "the rows of each change were read");
        tally.won += rows.merge(change, origin);
        tally.pieces += piecesOf(change);
      }
    }
    for (const rows of sets.values()) {
      rows.flush();
    }
    this.#gathered = [];
    this.#count = 0;
  }

  #loadRows(): Map<TableRules, RowSet> {
    const wanted = new Map<TableRules, { keys: (readonly Value[])[]; texts: string[] }>();
    for (const { changes } of this.#gathered) {
      for (const { rules, key, keyText } of changes) {
        let list = wanted.get(rules);
        if (list === undefined) {
          list = { keys: [], texts: [] };
          wanted.set(rules, list);
        }
        list.keys.push(key);
        list.texts.push(keyText);
      }
    }
    const sets = new Map<TableRules, RowSet>();
    for (const [rules, { keys, texts }] of wanted) {
      const rows = new RowSet(this.#engine, this.#engine.plans.get(rules.name) as TablePlan);
      rows.load(keys, texts);
      sets.set(rules, rows);
    }
    return sets;
  }
}
