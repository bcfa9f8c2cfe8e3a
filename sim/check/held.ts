/** Which versions somebody holds whole, in a form that is quick to ask. */
import { type ActorId, compareIds } from "../../core/base/ids.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import type { ActorHoldings, VersionRange } from "../../core/node/store.ts";

export class Held {
  readonly #sets = new Map<ActorId, IntervalSet>();

  constructor(holdings: readonly ActorHoldings[]) {
    for (const { actor, head, gaps, partial } of holdings) {
      const set = new IntervalSet();
      if (head > 0) set.add(1, head);
      for (const [from, to] of gaps) set.remove(from, to);
      for (const { version } of partial) set.remove(version);
      this.#sets.set(actor, set);
    }
  }

  has(actor: ActorId, version: number): boolean {
    return this.#sets.get(actor)?.has(version) ?? false;
  }

  remove({ actor, from, to }: VersionRange): void {
    this.#sets.get(actor)?.remove(from, to);
  }

  /** Calls `each` for every version held here and not in `other`. */
  without(other: Held, each: (actor: ActorId, version: number) => void): void {
    for (const [actor, set] of this.#sets) {
      for (const [from, to] of set.ranges()) {
        for (let v = from; v <= to; v++) if (!other.has(actor, v)) each(actor, v);
      }
    }
  }
}

/** Holdings by actor, in code unit order. */
export function sortedHoldings(holdings: readonly ActorHoldings[]): readonly ActorHoldings[] {
  return [...holdings].sort((a, b) => compareIds(a.actor, b.actor));
}
