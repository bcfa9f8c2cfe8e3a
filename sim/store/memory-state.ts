/** All replicated tables in memory: rows, their digests, and what is read from them. */
import { assert } from "../../core/base/assert.ts";
import { keyBytes, keyText } from "../../core/crdt/key.ts";
import { mergeChange, piecesOf, type PreparedChange } from "../../core/crdt/merge.ts";
import type { Origin } from "../../core/crdt/origin.ts";
import { parseSchema } from "../../core/crdt/parse-schema.ts";
import { addRow, type Row } from "../../core/crdt/row.ts";
import { exportRow, mergeRowState, type OriginOf } from "../../core/crdt/row-exchange.ts";
import { schemaChange } from "../../core/crdt/schema-change.ts";
import { StateSum } from "../../core/crdt/state-hash.ts";
import { emptySummary, StateSummary } from "../../core/crdt/state-summary.ts";
import { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk, RangeDigest, RowState, StoreSummary } from "../../core/node/store.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import { MemoryTable } from "./memory-table.ts";
import { preparedChanges, type Rules } from "./prepared.ts";

/** What applying a version did. */
export type Applied =
  | { readonly type: "applied"; readonly won: number; readonly lost: number }
  | { readonly type: "quarantined"; readonly why: string };

/** What a row takes in a message beside its key and cells, about. */
const rowOverheadBytes = 32;

/** The stores of a simulated fleet share one schema: its rules are worked out once. */
const known = new WeakMap<readonly string[], readonly TableRules[]>();

/** @throws RangeError when the schema cannot be replicated. */
function rulesOf(schema: readonly string[]): readonly TableRules[] {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const parsed = parseSchema(schema);
  if (!parsed.ok) throw new RangeError(parsed.error);
  const rules = parsed.tables.map((table) => new TableRules(table));
  known.set(schema, rules);
  return rules;
}

export class MemoryState {
  /** Sorted by name. */
  tables: ReadonlyMap<string, MemoryTable> = new Map();
  #rules: Rules = { tables: [], byName: new Map() };
  readonly #constraintsAllowed: boolean;
  /** Of each table. */
  #sums: readonly StateSum[] = [];
  #summary = emptySummary;

  /** @throws RangeError when the schema cannot be replicated, in one line. */
  constructor(schema: readonly string[], constraintsAllowed: boolean) {
    this.#constraintsAllowed = constraintsAllowed;
    const tables = this.#parse(schema);
    this.#adopt(
      tables,
      tables.map((rules) => new MemoryTable(rules)),
    );
  }

  /** Takes on tables and columns that are new. @throws RangeError as the constructor, or when something would be lost. */
  migrate(schema: readonly string[]): void {
    const next = this.#parse(schema);
    const now = [...this.tables.values()].map((table) => table.rules.schema);
    const why = schemaChange(
      now,
      next.map((rules) => rules.schema),
    );
    if (why !== null) throw new RangeError(why);
    this.#adopt(
      next,
      next.map((rules) => this.tables.get(rules.name)?.withRules(rules) ?? new MemoryTable(rules)),
    );
  }

  #parse(schema: readonly string[]): readonly TableRules[] {
    const tables = rulesOf(schema);
    for (const { name, schema: table } of tables) {
      const first = table.constraints[0];
      if (first === undefined || this.#constraintsAllowed) continue;
      throw new RangeError(
        `table ${name}: only the SQLite store keeps ${first.text}; leave it out or run with it`,
      );
    }
    return tables;
  }

  #adopt(rules: readonly TableRules[], tables: readonly MemoryTable[]): void {
    this.tables = new Map(tables.map((table) => [table.rules.name, table]));
    this.#sums = tables.map((table) => table.sum);
    this.#rules = { tables: rules, byName: new Map(rules.map((table) => [table.name, table])) };
  }

  /** The same object again as long as nothing changes. */
  summary(): StoreSummary {
    let hi = 0;
    let lo = 0;
    let rows = 0;
    for (let i = 0; i < this.#sums.length; i++) {
      const sum = this.#sums[i] as StateSum;
      hi = (hi + sum.a) | 0;
      lo = (lo + sum.b) | 0;
      rows += sum.rows;
    }
    const held = this.#summary;
    if (hi === held.hi && lo === held.lo && rows === held.rows) return held;
    this.#summary = new StateSummary(hi, lo, rows);
    return this.#summary;
  }

  /** Merges a whole version, or nothing of it. @throws WireError when the chunks are not a version. */
  apply(origin: Origin, chunks: readonly Chunk[]): Applied {
    const applied = { type: "applied" as const, won: 0, lost: 0 };
    if (chunks.length === 1) {
      const changes = preparedChanges(this.#rules, chunks[0] as Chunk);
      if (typeof changes === "string") return { type: "quarantined", why: changes };
      this.#mergeAll(changes, origin, applied);
      return applied;
    }
    const parts: (readonly PreparedChange[])[] = [];
    for (let i = 0; i < chunks.length; i++) {
      const changes = preparedChanges(this.#rules, chunks[i] as Chunk);
      if (typeof changes === "string") return { type: "quarantined", why: changes };
      parts.push(changes);
    }
    for (const changes of parts) this.#mergeAll(changes, origin, applied);
    return applied;
  }

  #mergeAll(
    changes: readonly PreparedChange[],
    origin: Origin,
    applied: { won: number; lost: number },
  ): void {
    for (let i = 0; i < changes.length; i++) {
      const change = changes[i] as PreparedChange;
      const won = this.merge(change, origin);
      applied.won += won;
      applied.lost += piecesOf(change) - won;
    }
  }

  /** @returns how many pieces of the change won. */
  merge(change: PreparedChange, origin: Origin): number {
    const table = this.tables.get(change.rules.name);
    assert(table !== undefined, "a prepared change is of a known table");
    return mergeChange(table.findOrAdd(change.keyText, change.key), change, origin, table.sum);
  }

  tableDigests(): (readonly [table: string, hash: string])[] {
    return [...this.tables].map(([name, table]) => [name, table.sum.hex()] as const);
  }

  rangeDigests(name: string, from: Uint8Array, to: Uint8Array, parts: number): RangeDigest[] {
    assert(parts >= 1, "a range is cut into at least one part");
    const table = this.tables.get(name);
    if (table === undefined) return [];
    const rows = table.range(keyText(from), keyText(to));
    const size = Math.max(1, Math.ceil(rows.length / parts));
    const digests: RangeDigest[] = [];
    for (let at = 0; at === 0 || at < rows.length; at += size) {
      const sum = new StateSum();
      for (const row of rows.slice(at, at + size)) if (row.alive) addRow(table.rules, row, sum);
      const begin = at === 0 ? from : keyBytes((rows[at] as Row).keyText);
      digests.push({ from: begin, rows: sum.rows, hash: sum.hex() });
    }
    assert(digests.length <= parts, "there are no more parts than asked for");
    return digests;
  }

  readRows(
    name: string,
    from: Uint8Array,
    to: Uint8Array,
    maxBytes: number,
  ): { rows: RowState[]; next: Uint8Array | null } {
    const table = this.tables.get(name);
    const rows: RowState[] = [];
    let bytes = 0;
    for (const row of table?.range(keyText(from), keyText(to)) ?? []) {
      const state = exportRow((table as MemoryTable).rules, row);
      bytes += state.key.length + state.cells.length + rowOverheadBytes;
      if (rows.length > 0 && bytes > maxBytes) return { rows, next: state.key };
      rows.push(state);
    }
    return { rows, next: null };
  }

  /** Rows that are damaged, or of a table or column unknown here, are passed over. @returns how many changed. */
  mergeRows(rows: readonly RowState[], originOf: OriginOf): number {
    let changed = 0;
    for (const state of rows) {
      const table = this.tables.get(state.table);
      if (table === undefined) continue;
      const find = (text: string, key: readonly Value[]) => table.findOrAdd(text, key);
      try {
        if (mergeRowState(table.rules, state, find, originOf, table.sum)) changed++;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }
    return changed;
  }

  *rows(name: string): Iterable<readonly Value[]> {
    const table = this.tables.get(name);
    if (table === undefined) throw new RangeError(`no such table: ${name}`);
    const { schema } = table.rules;
    for (const row of table.range("", "")) {
      if (!row.alive) continue;
      const values: Value[] = schema.columns.map(() => null);
      schema.keyColumns.forEach((column, i) => (values[column] = row.key[i] as Value));
      schema.dataColumns.forEach((column, i) => (values[column] = row.values[i] as Value));
      yield values;
    }
  }
}
