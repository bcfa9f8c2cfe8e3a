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

export interface TableSchema {
  readonly name: string;
  /** All columns, in declared order. */
  readonly columns: readonly ColumnSchema[];
  /** Indexes into `columns`, in the order of the PRIMARY KEY clause. */
  readonly keyColumns: readonly number[];
  /** Indexes into `columns` of the others, in declared order. */
  readonly dataColumns: readonly number[];
}
