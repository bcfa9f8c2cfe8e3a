/** What merging needs to know of a table, worked out once from its schema. */
import type { Origin } from "./origin.ts";
import type { Affinity, ColumnSchema, MergePolicy, TableSchema } from "./schema.ts";
import { Hasher } from "./state-hash.ts";
import type { Value } from "./value.ts";

export class TableRules {
  readonly schema: TableSchema;
  readonly name: string;
  readonly keyColumns: readonly ColumnSchema[];
  readonly keyAffinities: readonly Affinity[];
  /** The columns that are not of the key, in declared order; "column i" below is an index into this. */
  readonly dataColumns: readonly ColumnSchema[];
  readonly policies: readonly MergePolicy[];
  /** What a new life begins with. */
  readonly defaults: Value[];
  readonly noOrigins: (Origin | null)[];
  /** 0 up to the last data column. */
  readonly allColumns: readonly number[];
  readonly hasCounters: boolean;
  readonly seedA: number;
  readonly seedB: number;
  readonly columnSeeds: Int32Array;
  readonly #positions = new Map<string, number>();

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.name = schema.name;
    this.keyColumns = schema.keyColumns.map((i) => schema.columns[i] as ColumnSchema);
    this.keyAffinities = this.keyColumns.map((column) => column.affinity);
    this.dataColumns = schema.dataColumns.map((i) => schema.columns[i] as ColumnSchema);
    this.policies = this.dataColumns.map((column) => column.policy);
    this.defaults = this.dataColumns.map((column) => column.defaultValue);
    this.noOrigins = this.dataColumns.map(() => null);
    this.allColumns = this.dataColumns.map((_, i) => i);
    this.hasCounters = this.policies.includes("counter");
    const hasher = new Hasher();
    hasher.begin(0x7461626c, 0x65000000);
    hasher.text(schema.name);
    this.seedA = hasher.a;
    this.seedB = hasher.b;
    this.columnSeeds = new Int32Array(this.dataColumns.length);
    this.dataColumns.forEach((column, i) => {
      hasher.begin(0x636f6c75, 0x6d6e0000);
      hasher.text(column.name);
      hasher.finish();
      this.columnSeeds[i] = hasher.a;
      this.#positions.set(column.name, i);
    });
  }

  /** Index of a data column; undefined when it is of the key or unknown. */
  position(column: string): number | undefined {
    return this.#positions.get(column);
  }
}
