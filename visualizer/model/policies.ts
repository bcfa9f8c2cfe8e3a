import { parseSchema } from "../../core/crdt/parse-schema.ts";
import type { MergePolicy, TableSchema } from "../../core/crdt/schema.ts";
import type { Trace } from "./trace.ts";

/** What the trace's schema says of its tables. A schema that does not parse leaves everything at last-writer-wins. */
export class Policies {
  readonly #tables = new Map<string, TableSchema>();

  constructor(trace: Trace) {
    const parsed = parseSchema(trace.header.schema);
    if (parsed.ok) for (const table of parsed.tables) this.#tables.set(table.name, table);
  }

  table(name: string): TableSchema | undefined {
    return this.#tables.get(name);
  }

  /** By index in `columns`: the merge policy. */
  of(table: string, columns: readonly string[]): MergePolicy[] {
    const schema = this.#tables.get(table);
    return columns.map(
      (name) => schema?.columns.find((column) => column.name === name)?.policy ?? "lww",
    );
  }
}
