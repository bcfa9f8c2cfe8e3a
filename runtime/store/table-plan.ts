/** What the store needs to know of one replicated table, worked out once from its schema. */
import { assert } from "../../core/base/assert.ts";
import type { Affinity, ColumnSchema, TableSchema } from "../../core/crdt/schema.ts";
import { StateSum } from "../../core/crdt/state-hash.ts";
import { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { ClockCell, ClockShape } from "./clock-cell.ts";
import { ClockOverlay } from "./clock-overlay.ts";
import { type ClockPlace, RowidPlace } from "./rowid-clocks.ts";
import { quoteName } from "./schema-source.ts";
import { affinitiesOf, typeOfAffinity } from "./sql-value.ts";
import type { UniqueIndex } from "./unique-index.ts";

/** What stands for a primary key in a Map: an INTEGER PRIMARY KEY itself, else its canonical bytes as text. */
export type RowKey = number | bigint | string;

/** Since when a column exists: its rank among the table's, and the last log id before it. */
export interface ColumnBirth {
  readonly slot: number;
  readonly since: number;
}

/** By name of data column. */
export type ColumnBirths = ReadonlyMap<string, ColumnBirth>;

export interface ClockEntry {
  readonly key: readonly Value[];
  readonly cell: ClockCell;
  /** The rowid under which the clock belongs; 0: under the row's key. */
  readonly rowid: number;
  /** A rowid that has no clock of its own any more; 0: none. */
  readonly forgets: number;
}

/** A clock takes some 10 bytes: rows so many and so close share their pages. */
const leastDense = 16;
const mostGap = 8;

export class TablePlan implements ClockShape, ClockPlace {
  /** Number in `patina_object`. */
  readonly n: number;
  readonly rules: TableRules;
  readonly schema: TableSchema;
  readonly births: ColumnBirths;
  readonly slots: readonly number[];
  readonly since: readonly number[];
  readonly lastSince: number;
  /** Quoted. */
  readonly table: string;
  /** Quoted name of the clock table. */
  readonly clock: string;
  /** Quoted, in the order of the PRIMARY KEY clause. */
  readonly keyNames: readonly string[];
  readonly keyAffinities: readonly Affinity[];
  /** Key columns of the clock table, unquoted. */
  readonly clockKeys: readonly string[];
  /** Quoted, in declared order. */
  readonly dataNames: readonly string[];
  readonly dataAffinities: readonly Affinity[];
  /** Names of the data columns. */
  readonly columns: readonly string[];
  /** For each data column "not told", to begin a row with of which little is known. */
  readonly unknown: Value[];
  /** Some column's merge may leave another value than the one written: max, min, counter. */
  readonly hasPolicies: boolean;
  readonly uniques: readonly UniqueIndex[];
  /** Data columns that some UNIQUE constraint is about. */
  readonly uniqueColumns: readonly number[];
  /** There is a table for rows that lose a UNIQUE constraint. */
  readonly hasAside: boolean;
  readonly byInteger: boolean;
  /** Where clocks stand under the rowids of their rows; null: the table has none such. */
  readonly rowids: ClockPlace | null;
  /** Some living row's clock may stand under its key, though the table has `rowids`. */
  keyed = true;
  readonly #rowidKey: boolean;
  readonly #sql = new Map<string, string>();
  #a = 0;
  #b = 0;
  #rows = 0;
  #dead = 0;

  /** Digest over living rows, kept up to date by each transaction. */
  readonly sum = new StateSum();
  /** Rows of the clock table that are tombstones; none: what is inserted for the first time is new. */
  dead = 0;
  /** Clocks that are newer than the clock table's and not yet folded into it. */
  readonly overlay = new ClockOverlay();

  constructor(
    n: number,
    schema: TableSchema,
    births: ColumnBirths,
    uniques: readonly UniqueIndex[],
    hasAside: boolean,
    hasRowids = false,
  ) {
    this.n = n;
    this.schema = schema;
    this.births = births;
    this.uniques = uniques;
    this.hasAside = hasAside;
    this.byInteger = schema.rowidKey;
    this.rowids = hasRowids ? new RowidPlace(this) : null;
    this.rules = new TableRules(schema);
    const { dataColumns, keyColumns } = this.rules;
    const birthOf = ({ name }: ColumnSchema) => {
      const birth = births.get(name);
      assert(birth !== undefined, `column ${name} of ${schema.name} has a slot`);
      return birth;
    };
    this.slots = dataColumns.map((column) => birthOf(column).slot);
    this.since = dataColumns.map((column) => birthOf(column).since);
    this.lastSince = Math.max(0, ...this.since);
    this.table = quoteName(schema.name);
    this.clock = quoteName(clockNameOf(schema.name));
    this.keyNames = keyColumns.map(({ name }) => quoteName(name));
    this.keyAffinities = this.rules.keyAffinities;
    this.clockKeys = keyColumns.map((_, i) => `k${i}`);
    this.dataNames = dataColumns.map(({ name }) => quoteName(name));
    this.dataAffinities = affinitiesOf(dataColumns);
    this.columns = dataColumns.map(({ name }) => name);
    this.unknown = dataColumns.map(() => undefined as unknown as Value);
    const unique = new Set(uniques.flatMap(({ columns }) => columns));
    this.uniqueColumns = dataColumns
      .map(({ name }, i) => (unique.has(name) ? i : -1))
      .filter((i) => i >= 0);
    this.hasPolicies = this.rules.policies.some((policy) => policy !== "lww");
    this.#rowidKey = schema.rowidKey;
  }

  /** Rows that ever were. */
  get known(): number {
    return this.sum.rows + this.dead;
  }

  /** The text of a statement about this table, put together once. */
  sql(name: string, make: () => string): string {
    let text = this.#sql.get(name);
    if (text === undefined) {
      text = make();
      this.#sql.set(name, text);
    }
    return text;
  }

  /** Remembers the digest, for `digestChanged`. */
  markDigest(): void {
    this.#a = this.sum.a;
    this.#b = this.sum.b;
    this.#rows = this.sum.rows;
    this.#dead = this.dead;
  }

  digestChanged(): boolean {
    const { a, b, rows } = this.sum;
    return a !== this.#a || b !== this.#b || rows !== this.#rows || this.dead !== this.#dead;
  }

  /** Rows with keys from `first` to `last` are neighbours, so many that they fill pages of their own. */
  isDense(first: RowKey, last: RowKey, count: number): boolean {
    if (count < leastDense || typeof first !== "number" || typeof last !== "number") return false;
    return last - first <= count * mostGap;
  }

  /** @param keyText the key's canonical bytes as text. */
  rowKey(key: readonly Value[], keyText: string): RowKey {
    return this.#rowidKey ? (key[0] as number | bigint) : keyText;
  }
}

/** The table of rows that lost a UNIQUE constraint. */
export function asideNameOf(table: string): string {
  return `patina_aside_${table}`;
}

export function clockNameOf(table: string): string {
  return `patina_clock_${table}`;
}

/** The clock table of a replicated table: its key, and one packed value. */
export function clockTableSql(schema: TableSchema): string {
  const name = quoteName(clockNameOf(schema.name));
  // Without a constraint that could fail, SQLite keeps no journal of each statement.
  if (schema.rowidKey) return `CREATE TABLE ${name} (k0 INTEGER PRIMARY KEY, c INTEGER)`;
  const keys = schema.keyColumns.map((column, i) => {
    const { affinity } = schema.columns[column] as ColumnSchema;
    return `k${i} ${typeOfAffinity(affinity)}`;
  });
  const names = keys.map((_, i) => `k${i}`).join(", ");
  return `CREATE TABLE ${name} (${keys.join(", ")}, c INTEGER NOT NULL, PRIMARY KEY (${names})) WITHOUT ROWID`;
}

/** The births of a table's columns after it came to have those of `schema`, at log id `now`. */
export function birthsAfter(before: ColumnBirths, schema: TableSchema, now: number): ColumnBirths {
  const births = new Map(before);
  let slot = before.size;
  for (const i of schema.dataColumns) {
    const { name } = schema.columns[i] as ColumnSchema;
    if (!births.has(name)) births.set(name, { slot: slot++, since: now });
  }
  return births;
}
