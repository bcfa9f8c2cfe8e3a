import type { Value } from "./value.ts";

/** SQLite's column affinities (sqlite.org/datatype3.html, section 3.1). */
export type Affinity = "text" | "numeric" | "integer" | "real" | "blob";

/** How concurrent writes of one cell are resolved; `lww`: the larger (stamp, actor). */
export type MergePolicy = "lww" | "max" | "min" | "counter";

export interface ColumnSchema {
  readonly name: string;
  readonly declaredType: string;
  readonly affinity: Affinity;
  readonly notNull: boolean;
  /** What a new life begins with: the literal default, normalised; else NULL; else, for NOT NULL without one, the affinity's zero. */
  readonly defaultValue: Value;
  /** A literal DEFAULT is declared. */
  readonly hasDefault: boolean;
  readonly policy: MergePolicy;
}

/** What a merge cannot be held to; only the SQLite store enforces it. */
export interface ConstraintSchema {
  readonly kind: "unique" | "check" | "foreignKey" | "generated";
  /** As it stands in the statement, for messages. */
  readonly text: string;
}

export interface TableSchema {
  readonly name: string;
  /** All stored columns, in declared order; generated ones are left out. */
  readonly columns: readonly ColumnSchema[];
  /** Indexes into `columns`, in the order of the PRIMARY KEY clause. */
  readonly keyColumns: readonly number[];
  /** Indexes into `columns` of the others, in declared order. */
  readonly dataColumns: readonly number[];
  readonly strict: boolean;
  readonly withoutRowid: boolean;
  /** The key is an INTEGER PRIMARY KEY: SQLite's rowid, which is never NULL and always an integer. */
  readonly rowidKey: boolean;
  readonly constraints: readonly ConstraintSchema[];
}
