/**
 * What an event can have been influenced by and what it can have influenced: Lamport's
 * happened-before (CACM 1978), from the order on each node and from each send to its receives.
 */
import { Kind } from "./kinds.ts";
import type { Trace } from "./trace.ts";

export interface Cone {
  readonly event: number;
  /** By node: its last event in the past, −1 for none. */
  readonly past: Int32Array<ArrayBuffer>;
  /** By node: its first event in the future; the count of events for none. */
  readonly future: Int32Array<ArrayBuffer>;
  readonly pastCount: number;
  readonly futureCount: number;
}

/** The cone of `event`; an event on no node (a fault, the end) has none but itself. */
export function buildCone(trace: Trace, event: number): Cone {
  const { count, kind, node, ref } = trace;
  const nodes = trace.nodes.length;
  const past = new Int32Array(nodes).fill(-1);
  const future = new Int32Array(nodes).fill(count);
  const own = node[event] ?? -1;
  let pastCount = 0;
  let futureCount = 0;
  if (own < 0) return { event, past, future, pastCount, futureCount };

  past[own] = event;
  for (let i = event; i >= 0; i--) {
    const n = node[i] as number;
    if (n < 0 || i > (past[n] as number)) continue;
    if (i !== event) pastCount++;
    if (kind[i] !== Kind.recv) continue;
    const send = ref[i] as number;
    if (send < 0) continue;
    const sender = node[send] as number;
    if (send > (past[sender] as number)) past[sender] = send;
  }

  future[own] = event;
  for (let i = event; i < count; i++) {
    const n = node[i] as number;
    if (n < 0) continue;
    if (i < (future[n] as number) && kind[i] === Kind.recv) {
      const send = ref[i] as number;
      if (send >= 0 && send >= (future[node[send] as number] as number)) future[n] = i;
    }
    if (i >= (future[n] as number) && i !== event) futureCount++;
  }
  return { event, past, future, pastCount, futureCount };
}

/** Every receive or drop of a send, ascending; a duplicated message has several. */
export function outcomesOf(trace: Trace, send: number): number[] {
  const first = trace.ref[send] as number;
  if (first < 0) return [];
  const outcomes = [first];
  // A duplicate follows its original closely; past this many events none is looked for.
  const last = Math.min(trace.count, first + 200_000);
  for (let i = first + 1; i < last; i++) {
    const kind = trace.kind[i];
    if ((kind === Kind.recv || kind === Kind.drop) && trace.ref[i] === send) outcomes.push(i);
  }
  return outcomes;
}
