/** The UNIQUE constraints and indexes of a replicated table, other than its primary key. */
import type { TableSchema } from "../../core/crdt/schema.ts";
import type { Db } from "./db.ts";

export interface UniqueIndex {
  readonly name: string;
  /** In index order. */
  readonly columns: readonly string[];
  /** As SQLite compares each: BINARY, NOCASE or RTRIM. */
  readonly collations: readonly string[];
}

interface IndexRow {
  readonly name: string;
  readonly unique: number;
  readonly origin: "c" | "u" | "pk";
  readonly partial: number;
}

interface IndexColumn {
  readonly cid: number;
  readonly name: string | null;
  readonly coll: string;
  readonly key: number;
}

/** @throws RangeError for an index over which no rule could decide: on an expression, of some rows only. */
export function uniqueIndexesOf(db: Db, schema: TableSchema): UniqueIndex[] {
  const { name: table } = schema;
  const stored = new Set(schema.columns.map(({ name }) => name));
  const indexes = db.prepare("SELECT * FROM pragma_index_list(?)").all(table) as IndexRow[];
  return indexes
    .filter(({ unique, origin }) => unique === 1 && origin !== "pk")
    .map(({ name, partial }) => {
      const columns = db.prepare("SELECT * FROM pragma_index_xinfo(?)").all(name) as IndexColumn[];
      const keys = columns.filter(({ key }) => key === 1);
      if (partial === 1 || keys.some((column) => !stored.has(column.name ?? ""))) {
        throw new RangeError(
          `a UNIQUE constraint of the replicated table ${table} is on stored columns and all rows; leave out UNIQUE, WHERE, the expression or the generated column`,
        );
      }
      return {
        name,
        columns: keys.map((column) => column.name as string),
        collations: keys.map(({ coll }) => coll),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
