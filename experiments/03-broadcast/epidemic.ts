/**
 * Epidemics in rounds, as the theory has them: who is infected contacts random others, all at the
 * same beat, nothing is lost. The textbook models, beside which broadcasts of the real kind stand.
 */
import { createRng } from "../../sim/rng.ts";

export interface Epidemic {
  /** Until all are infected, or nothing more happens. */
  readonly rounds: number;
  /** Share infected in the end. */
  readonly reached: number;
  /** Messages received by a node. */
  readonly copies: number;
}

/** `push`: one contact a round by each that is infected. `pushPull`: one by each, and it goes both ways. */
export function spreadRumor(nodes: number, way: "push" | "pushPull", seed: string): Epidemic {
  const rng = createRng(seed);
  const infected = new Uint8Array(nodes);
  infected[0] = 1;
  let count = 1;
  let rounds = 0;
  let messages = 0;
  while (count < nodes) {
    rounds++;
    const before = infected.slice();
    for (let node = 0; node < nodes; node++) {
      if (way === "push" && before[node] === 0) continue;
      let other = rng.below(nodes - 1);
      if (other >= node) other++;
      messages++;
      if (before[node] === before[other]) continue;
      const fresh = before[node] === 0 ? node : other;
      if (infected[fresh] === 0) count++;
      infected[fresh] = 1;
    }
  }
  return { rounds, reached: 1, copies: messages / nodes };
}

/** Eager gossip: at its first receipt a node sends to `fanout` random others, and never again. `alive`: the others do not receive. */
export function eagerGossip(nodes: number, fanout: number, alive: number, seed: string): Epidemic {
  const rng = createRng(seed);
  // Who is dead is random, so that the living may be the first.
  const infected = new Uint8Array(nodes);
  infected[0] = 1;
  let frontier = [0];
  let count = 1;
  let rounds = 0;
  let messages = 0;
  while (frontier.length > 0) {
    const next: number[] = [];
    for (const node of frontier) {
      for (let i = 0; i < fanout; i++) {
        let to = rng.below(nodes - 1);
        if (to >= node) to++;
        if (to >= alive) continue;
        messages++;
        if (infected[to] === 1) continue;
        infected[to] = 1;
        next.push(to);
        count++;
      }
    }
    if (next.length > 0) rounds++;
    frontier = next;
  }
  return { rounds, reached: count / alive, copies: messages / alive };
}
