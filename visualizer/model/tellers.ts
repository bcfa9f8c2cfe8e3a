/**
 * Nodes whose data a trace tells. A simulated trace tells of all; a live one only of the nodes that
 * it comes from: of the others it has messages and beliefs, but not what they hold.
 */
import { Kind } from "./kinds.ts";
import type { Trace } from "./trace.ts";

/** By node number: 1 where the node's data are told. */
export function tellers(trace: Trace): Uint8Array<ArrayBuffer> {
  const told = new Uint8Array(trace.nodes.length);
  if (trace.header.source === "sim") return told.fill(1);
  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i];
    if (kind === Kind.state || kind === Kind.commit || kind === Kind.apply)
      told[trace.node[i] as number] = 1;
  }
  return told;
}
