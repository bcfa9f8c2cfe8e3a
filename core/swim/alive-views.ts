/**
 * Sorted lists of living members, shared by all lists of a process that have the same ones alive.
 * In a simulation of ten thousand nodes nearly all of them see the same: one array serves them,
 * where each by itself would take eighty kilobytes, and as much again with every change. A list
 * asks by a 64-bit hash over its living addresses and their number.
 */
import type { Address } from "../base/ids.ts";

export interface AliveView {
  readonly hi: number;
  readonly lo: number;
  /** In code unit order; the asking list's own is among them. */
  readonly addresses: readonly Address[];
}

/** Overflow policy: the one that was made first goes; whoever has it keeps it. */
const maxViews = 64;

export class AliveViews {
  readonly #views = new Map<number, AliveView>();

  /** `make` is called when nobody had just these alive. */
  find(hi: number, lo: number, count: number, make: () => readonly Address[]): AliveView {
    const key = (hi >>> 0) * 0x20_0000 + (lo >>> 11);
    const known = this.#views.get(key);
    if (known?.hi === hi && known.lo === lo && known.addresses.length === count) return known;
    const view = { hi, lo, addresses: make() };
    this.#views.delete(key);
    this.#views.set(key, view);
    if (this.#views.size > maxViews) {
      for (const oldest of this.#views.keys()) {
        this.#views.delete(oldest);
        break;
      }
    }
    return view;
  }
}

/** Where `address` stands, or would stand, among `sorted`. */
export function placeAmong(sorted: readonly Address[], address: Address): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Address) < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
