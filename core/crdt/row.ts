/**
 * A replicated row with all that decides merges, and its share of the state hash. Both stores
 * merge into this shape: the one in memory keeps rows so, the SQLite store unpacks a row into it.
 */
import type { TableRules } from "./table-rules.ts";
import type { Origin } from "./origin.ts";
import { counterValue, type Counter, type Tally } from "./policies.ts";
import { Hasher, type StateSum } from "./state-hash.ts";
import type { Value } from "./value.ts";

const noValues: Value[] = [];
const noOrigins: (Origin | null)[] = [];

export class Row {
  /** Canonical key bytes as text (`core/crdt/key.ts`). */
  readonly keyText: string;
  /** In the order of the PRIMARY KEY clause. */
  readonly key: readonly Value[];
  /** Table and key in the state hash. */
  readonly seedA: number;
  readonly seedB: number;
  /** 0: never inserted; odd: alive; even: deleted. */
  causalLength = 0;
  /** The version of the latest change without cells: of a tombstone, or of a row of key columns alone. */
  sentinel: Origin | null = null;
  /** By data column; empty unless the row is alive. */
  values: Value[] = noValues;
  /** By data column; null: the column has its default, written by nobody. */
  origins: (Origin | null)[] = noOrigins;
  /** By data column, in tables with counter columns. */
  counters: (Counter | null)[] | null = null;

  constructor(rules: TableRules, keyText: string, key: readonly Value[]) {
    this.keyText = keyText;
    this.key = key;
    const seed = rowSeed(rules, key);
    this.seedA = seed.a;
    this.seedB = seed.b;
  }

  get alive(): boolean {
    return this.causalLength % 2 === 1;
  }
}

const hasher = new Hasher();

/** Stands for table and key in the hashes of a row; good until the next hash is taken. */
export function rowSeed(rules: TableRules, key: readonly Value[]): Hasher {
  hasher.begin(rules.seedA, rules.seedB);
  for (let i = 0; i < key.length; i++) hasher.value(key[i] as Value);
  return hasher;
}

const rowMark = 0x726f7773;
const tallyMark = 0x74616c79;

/** What a living row itself adds to a digest; good until the next hash is taken. */
export function hashRowOf(
  seedA: number,
  seedB: number,
  causalLength: number,
  sentinel: Origin | null,
): Hasher {
  hasher.begin(seedA, seedB);
  hasher.word(rowMark);
  hasher.word(causalLength | 0);
  hasher.word((causalLength / 0x1_0000_0000) | 0);
  if (sentinel !== null) {
    hasher.word(sentinel.seedA);
    hasher.word(sentinel.seedB);
  }
  hasher.finish();
  return hasher;
}

/** What one of its cells adds; good until the next hash is taken. */
export function hashCellOf(
  seedA: number,
  seedB: number,
  columnSeed: number,
  value: Value,
  origin: Origin,
): Hasher {
  hasher.begin(seedA, seedB);
  hasher.word(columnSeed);
  hasher.value(value);
  hasher.word(origin.seedA);
  hasher.word(origin.seedB);
  hasher.finish();
  return hasher;
}

function hashRow(row: Row): Hasher {
  return hashRowOf(row.seedA, row.seedB, row.causalLength, row.sentinel);
}

function hashCell(row: Row, columnSeed: number, value: Value, origin: Origin): Hasher {
  return hashCellOf(row.seedA, row.seedB, columnSeed, value, origin);
}

function hashTally(row: Row, columnSeed: number, tally: Tally): Hasher {
  hasher.begin(row.seedA, row.seedB);
  hasher.word(columnSeed);
  hasher.word(tallyMark);
  hasher.value(tally.total);
  hasher.word(tally.origin.seedA);
  hasher.word(tally.origin.seedB);
  hasher.finish();
  return hasher;
}

/** Ends the life that the row has, if any, and begins life or death `causalLength` with nothing written. */
export function beginLife(rules: TableRules, row: Row, causalLength: number, sum: StateSum): void {
  if (row.sentinel !== null) row.sentinel.release();
  if (row.causalLength % 2 === 1) {
    sum.remove(hashRow(row));
    sum.rows--;
    dropCells(rules, row, sum);
  }
  row.causalLength = causalLength;
  row.sentinel = null;
  if (causalLength % 2 === 1) {
    row.values = rules.defaults.slice();
    row.origins = rules.noOrigins.slice();
    row.counters = rules.hasCounters ? rules.dataColumns.map(() => null) : null;
    sum.add(hashRow(row));
    sum.rows++;
  } else {
    row.values = noValues;
    row.origins = noOrigins;
    row.counters = null;
  }
}

function dropCells(rules: TableRules, row: Row, sum: StateSum): void {
  for (let i = 0; i < row.origins.length; i++) {
    const origin = row.origins[i] as Origin | null;
    const counter = row.counters === null ? null : (row.counters[i] as Counter | null);
    if (origin !== null) {
      const value = counter === null ? (row.values[i] as Value) : counter.base;
      sum.remove(hashCell(row, rules.columnSeeds[i] as number, value, origin));
      origin.release();
    }
    if (counter === null) continue;
    for (const tally of counter.tallies) {
      sum.remove(hashTally(row, rules.columnSeeds[i] as number, tally));
      tally.origin.release();
    }
  }
}

export function setSentinel(row: Row, origin: Origin, sum: StateSum): void {
  const alive = row.causalLength % 2 === 1;
  if (alive) sum.remove(hashRow(row));
  if (row.sentinel !== null) row.sentinel.release();
  row.sentinel = origin;
  origin.retain();
  if (alive) sum.add(hashRow(row));
}

/** Writes cell `i`; of a counter, what its life began with. */
export function setCell(
  rules: TableRules,
  row: Row,
  i: number,
  value: Value,
  origin: Origin,
  sum: StateSum,
): void {
  const seed = rules.columnSeeds[i] as number;
  const held = row.origins[i] as Origin | null;
  const counter = row.counters === null ? null : (row.counters[i] as Counter | null);
  if (held !== null) {
    const before = counter === null ? (row.values[i] as Value) : counter.base;
    sum.remove(hashCell(row, seed, before, held));
    held.release();
  }
  row.origins[i] = origin;
  origin.retain();
  if (counter === null) {
    row.values[i] = value;
  } else {
    counter.base = value;
    row.values[i] = counterValue(counter);
  }
  sum.add(hashCell(row, seed, value, origin));
}

/** The base of counter cell `i`, whether or not anything was added to it yet. */
export function counterBase(row: Row, i: number): Value {
  const counter = row.counters?.[i] ?? null;
  return counter === null ? (row.values[i] as Value) : counter.base;
}

export function tallyOf(row: Row, i: number, actor: string): Tally | null {
  const counter = row.counters?.[i] ?? null;
  return counter?.tallies.find((tally) => tally.origin.actor === actor) ?? null;
}

/** Replaces what the origin's actor had added to counter cell `i` by `total`. */
export function setTally(
  rules: TableRules,
  row: Row,
  i: number,
  total: Value,
  origin: Origin,
  sum: StateSum,
): void {
  const seed = rules.columnSeeds[i] as number;
  const counters = row.counters as (Counter | null)[];
  const counter = counters[i] ?? { base: row.values[i] as Value, tallies: [] };
  counters[i] = counter;
  const { tallies } = counter;
  let at = 0;
  while (at < tallies.length && (tallies[at] as Tally).origin.actor < origin.actor) at++;
  const held = tallies[at];
  const tally = { origin, total };
  if (held !== undefined && held.origin.actor === origin.actor) {
    sum.remove(hashTally(row, seed, held));
    held.origin.release();
    tallies[at] = tally;
  } else {
    tallies.splice(at, 0, tally);
  }
  origin.retain();
  sum.add(hashTally(row, seed, tally));
  row.values[i] = counterValue(counter);
}

/** Adds what the living row `row` contributes to a state hash, for sums over a range. */
export function addRow(rules: TableRules, row: Row, sum: StateSum): void {
  sum.add(hashRow(row));
  sum.rows++;
  for (let i = 0; i < row.origins.length; i++) {
    const seed = rules.columnSeeds[i] as number;
    const origin = row.origins[i] as Origin | null;
    if (origin !== null) sum.add(hashCell(row, seed, counterBase(row, i), origin));
    for (const tally of row.counters?.[i]?.tallies ?? []) sum.add(hashTally(row, seed, tally));
  }
}
