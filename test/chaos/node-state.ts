/** What nodes are compared by. */
import type { NodeProcess } from "../../runtime/cluster/node-process.ts";

/** Data, rows and highest versions that a node tells of, as one text. */
export async function stateOf(node: NodeProcess): Promise<string> {
  const { db, heads } = await node.get<{
    db: { state_hash: string; rows: number };
    heads: Record<string, number>;
  }>("/v1/status");
  const sorted = Object.entries(heads).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${db.state_hash} ${db.rows} ${JSON.stringify(sorted)}`;
}
