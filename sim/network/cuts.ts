/**
 * Which ways are cut or made worse, by faults in force. Several partitions add up: two nodes are
 * apart if any of them parts them. Kept by fault, not by pair, so that ten thousand nodes cost no more.
 */
import { assert } from "../../core/base/assert.ts";
import type { Rng } from "../../core/base/rng.ts";

interface Partition {
  readonly id: number;
  /** Group of each node, −1 for those that keep all links. Nodes that join later keep all links. */
  readonly groupOf: Int16Array;
  readonly oneway: boolean;
}

export interface LinkFault {
  readonly loss: number;
  readonly cut: boolean;
  /** Replaces the network's delay; null leaves it. */
  readonly delayUs: ((rng: Rng) => number) | null;
}

export type CutReason = "partition" | "cut";

/** Pairs are keyed in one small integer. */
const maxNodes = 16_384;

export class Cuts {
  /** False when no fault touches the network: the way to skip every look-up. */
  active = false;
  #partitions: Partition[] = [];
  readonly #links = new Map<number, { id: number; fault: LinkFault }[]>();

  /** Nodes in different groups cannot reach one another; with `oneway` only the first group cannot reach the others. */
  partition(id: number, groups: readonly (readonly number[])[], oneway: boolean): void {
    let highest = -1;
    for (const group of groups) for (const node of group) if (node > highest) highest = node;
    const groupOf = new Int16Array(highest + 1).fill(-1);
    groups.forEach((group, index) => {
      for (const node of group) {
        assert(groupOf[node] === -1, "a node is in one group of a partition");
        groupOf[node] = index;
      }
    });
    this.#partitions.push({ id, groupOf, oneway });
    this.active = true;
  }

  link(id: number, from: number, to: number, fault: LinkFault): void {
    const key = from * maxNodes + to;
    const faults = this.#links.get(key);
    if (faults === undefined) this.#links.set(key, [{ id, fault }]);
    else faults.push({ id, fault });
    this.active = true;
  }

  /** Ends one fault; true if it was in force. */
  lift(id: number): boolean {
    const before = this.#partitions.length;
    this.#partitions = this.#partitions.filter((partition) => partition.id !== id);
    let found = this.#partitions.length < before;
    for (const [key, faults] of this.#links) {
      const kept = faults.filter((entry) => entry.id !== id);
      if (kept.length === faults.length) continue;
      found = true;
      if (kept.length === 0) this.#links.delete(key);
      else this.#links.set(key, kept);
    }
    this.active = this.#partitions.length > 0 || this.#links.size > 0;
    return found;
  }

  /** Once everything is lifted no way is cut. */
  assertNone(): void {
    assert(!this.active, "every cut was lifted");
  }

  /** Why nothing goes from `from` to `to` at this moment, or null. */
  between(from: number, to: number): CutReason | null {
    for (const { groupOf, oneway } of this.#partitions) {
      if (from >= groupOf.length || to >= groupOf.length) continue;
      const a = groupOf[from] as number;
      const b = groupOf[to] as number;
      if (a >= 0 && b >= 0 && a !== b && (!oneway || a === 0)) return "partition";
    }
    const faults = this.#links.get(from * maxNodes + to);
    if (faults !== undefined) for (const { fault } of faults) if (fault.cut) return "cut";
    return null;
  }

  /** Whether a fault cuts, or worsens, either way between the two. */
  apart(a: number, b: number): boolean {
    if (!this.active) return false;
    if (this.#links.has(a * maxNodes + b) || this.#links.has(b * maxNodes + a)) return true;
    return this.between(a, b) !== null || this.between(b, a) !== null;
  }

  /** The chance of loss that link faults add to the network's own. */
  loss(from: number, to: number): number {
    const faults = this.#links.get(from * maxNodes + to);
    if (faults === undefined) return 0;
    let passes = 1;
    for (const { fault } of faults) passes *= 1 - fault.loss;
    return 1 - passes;
  }

  /** The delay that the latest link fault imposes, or −1. */
  delayUs(from: number, to: number, rng: Rng): number {
    const faults = this.#links.get(from * maxNodes + to);
    if (faults === undefined) return -1;
    for (let i = faults.length - 1; i >= 0; i--) {
      const delay = faults[i]?.fault.delayUs;
      if (delay) return delay(rng);
    }
    return -1;
  }
}
