/** The final tables of every node, as `--dump` writes them. */
import { tagValue, type TaggedValue } from "../core/trace/tagged-value.ts";
import type { SimNode } from "./host/node.ts";

export interface DumpTable {
  readonly columns: readonly string[];
  /** In primary-key order; values tagged as in traces. */
  readonly rows: readonly (readonly TaggedValue[])[];
}

export interface DumpNode {
  readonly node: number;
  /** False for nodes that left or are down: their tables are empty here. */
  readonly alive: boolean;
  readonly tables: Readonly<Record<string, DumpTable>>;
}

export interface Dump {
  readonly nodes: readonly DumpNode[];
}

export function dumpNodes(nodes: readonly SimNode[]): Dump {
  return { nodes: nodes.map(dumpNode) };
}

function dumpNode(node: SimNode): DumpNode {
  const tables: Record<string, DumpTable> = {};
  const { store } = node;
  for (const table of store?.tables ?? []) {
    tables[table.name] = {
      columns: table.columns.map((column) => column.name),
      rows: Array.from(store?.rows(table.name) ?? [], (row) => row.map(tagValue)),
    };
  }
  return { node: node.n, alive: node.live, tables };
}
