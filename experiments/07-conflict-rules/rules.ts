/** The two rules compared, over one cell. */
import type { Origin } from "../../core/crdt/origin.ts";
import { wins } from "../../core/crdt/policies.ts";

export interface CellState {
  readonly value: number;
  readonly origin: Origin;
  /** Times that this cell was written, as far as its writer knew: the counter rule's clock. */
  readonly counter: number;
}

export interface Rule {
  readonly name: "stamp" | "counter";
  /** Does what comes in replace what is held? */
  wins(incoming: CellState, held: CellState): boolean;
}

/** Patina's own merge: the larger stamp of a hybrid logical clock, then the larger actor. */
export const stampOrder: Rule = {
  name: "stamp",
  wins: (incoming, held) => wins("lww", incoming.value, incoming.origin, held.value, held.origin),
};

/**
 * Per-cell counters as in cr-sqlite, the extension under Corrosion: the larger counter, then the
 * larger value; of equal values the one held stays.
 */
export const counterOrder: Rule = {
  name: "counter",
  wins: (incoming, held) =>
    incoming.counter !== held.counter
      ? incoming.counter > held.counter
      : incoming.value > held.value,
};
