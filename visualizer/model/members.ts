/** Who thought what of whom at a moment: the last `member` event of each (observer, subject). */
import { Kind, State } from "./kinds.ts";
import type { Trace } from "./trace.ts";

/** A full matrix is kept up to this many nodes: four bytes a pair. */
export const maxMatrixNodes = 2048;

/** The whole matrix, moved to any event; forward in steps, backward by starting again. */
export class MembershipMatrix {
  readonly nodes: number;
  /** observer × nodes + subject → its last `member` event, −1 if the observer knows nothing. */
  readonly last: Int32Array;
  readonly #trace: Trace;
  readonly #events: Int32Array;
  #next = 0;

  /** @param events the `member` and `restart` events, ascending. */
  constructor(trace: Trace, events: Int32Array) {
    this.#trace = trace;
    this.#events = events;
    this.nodes = Math.min(trace.nodes.length, maxMatrixNodes);
    this.last = new Int32Array(this.nodes * this.nodes).fill(-1);
  }

  /** Makes `last` what it was just after `event`. */
  moveTo(event: number): void {
    if (this.#next > 0 && (this.#events[this.#next - 1] as number) > event) {
      this.last.fill(-1);
      this.#next = 0;
    }
    const { kind, node, peer } = this.#trace;
    while (this.#next < this.#events.length) {
      const i = this.#events[this.#next] as number;
      if (i > event) break;
      this.#next++;
      const observer = node[i] as number;
      if (observer >= this.nodes) continue;
      if (kind[i] === Kind.restart)
        this.last.fill(-1, observer * this.nodes, (observer + 1) * this.nodes);
      else {
        const about = peer[i] as number;
        if (about < this.nodes) this.last[observer * this.nodes + about] = i;
      }
    }
  }
}

/**
 * One observer's view just after `event`: by subject its last `member` event, −1 for none.
 * @param own the observer's own events, ascending.
 */
export function viewOf(trace: Trace, own: Int32Array, event: number): Int32Array {
  const last = new Int32Array(trace.nodes.length).fill(-1);
  for (const i of own) {
    if (i > event) break;
    const kind = trace.kind[i];
    if (kind === Kind.restart) last.fill(-1);
    else if (kind === Kind.member) last[trace.peer[i] as number] = i;
  }
  return last;
}

/** The state that a `member` event tells; unknown for −1. */
export function stateOf(trace: Trace, memberEvent: number): number {
  return memberEvent < 0 ? State.unknown : (trace.label[memberEvent] as number);
}
