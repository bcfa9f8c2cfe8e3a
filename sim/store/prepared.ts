/**
 * What a chunk's payload says, resolved against a schema. The nodes of one simulation share their
 * chunks as objects and their schema, so each chunk is read for the first of them alone. A pure
 * memo: a chunk that is another object is read anew, whatever is in it.
 */
import type { PreparedChange } from "../../core/crdt/merge.ts";
import { prepareChange } from "../../core/crdt/prepare.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Chunk } from "../../core/node/store.ts";
import { decodeChanges, type RowChange } from "../../core/wire/changes.ts";

/** Direct-mapped; the newer chunk takes the place. */
const slots = 2048;

/** Tables by name, and the rules of which they were made: the same array for stores of one schema. */
export interface Rules {
  readonly tables: readonly TableRules[];
  readonly byName: ReadonlyMap<string, TableRules>;
}

interface Known {
  readonly chunk: Chunk;
  readonly tables: readonly TableRules[];
  readonly changes: readonly PreparedChange[] | string;
}

const known: (Known | null)[] = Array.from({ length: slots }, () => null);

/** @returns the changes, or why they cannot be applied here yet. @throws WireError */
export function preparedChanges(rules: Rules, chunk: Chunk): readonly PreparedChange[] | string {
  const { actor, version, index } = chunk;
  const author = (actor.charCodeAt(0) << 8) ^ (actor.charCodeAt(1) << 4) ^ actor.charCodeAt(2);
  const slot = (Math.imul(version, 0x9e3779b1) ^ Math.imul(author + index, 0x85ebca6b)) >>> 21;
  const met = known[slot] as Known | null;
  if (met !== null && met.chunk === chunk && met.tables === rules.tables) return met.changes;
  const changes = prepareAll(rules, chunk);
  known[slot] = { chunk, tables: rules.tables, changes };
  return changes;
}

/** Lets go of all that is known: the chunks of a run that is over do not come again. */
export function forgetPrepared(): void {
  known.fill(null);
}

function prepareAll(rules: Rules, chunk: Chunk): readonly PreparedChange[] | string {
  const rows = decodeChanges(chunk.payload);
  let changes: PreparedChange[] = [];
  for (let i = 0; i < rows.length; i++) {
    const change = prepareChange(rules.byName, rows[i] as RowChange);
    if (typeof change === "string") return change;
    // Mostly one alone: as a literal it takes a third of the room that `push` would make.
    if (i === 0) changes = [change];
    else changes.push(change);
  }
  return changes;
}
