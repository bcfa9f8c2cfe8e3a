/**
 * Versions that a node counts as held without having applied them: a peer told it that newer writes
 * have replaced every cell of them. Applies do not show that; the node's reported heads do.
 */
import { Kind } from "./kinds.ts";
import { pairSecond, type Trace } from "./trace.ts";

/**
 * The first `state` event after `after` in which a node reports to hold version `number` of `actor`
 * with nothing missing; −1 if there is none.
 * @param own the node's own events, ascending.
 */
export function coveredFrom(
  trace: Trace,
  own: Int32Array,
  actor: number,
  number: number,
  after: number,
): number {
  const { kind, ref, aux, heads } = trace;
  let head = 0;
  for (const event of own) {
    if (kind[event] !== Kind.state) continue;
    const ordinal = ref[event] as number;
    const end = heads.offsets[ordinal + 1] as number;
    for (let i = heads.offsets[ordinal] as number; i < end; i++)
      if (heads.actor[i] === actor) head = heads.version[i] as number;
    if (event > after && head >= number && pairSecond(aux[event] as number) === 0) return event;
  }
  return -1;
}
