/** Which addresses count as alive in one list: how many, a hash of them, and their order once somebody asks. */
import type { Address } from "../base/ids.ts";
import { type AliveView, placeAmong } from "./alive-views.ts";
import type { Directory } from "./directory.ts";

export class Living {
  readonly #directory: Directory;
  readonly #selfSlot: number;
  /** This node itself is counted, so that all nodes that see the same share one view. */
  #count = 0;
  #hi = 0;
  #lo = 0;
  #view: AliveView | null = null;
  #selfPlace = 0;
  #others: readonly Address[] | null = null;

  constructor(directory: Directory, selfSlot: number) {
    this.#directory = directory;
    this.#selfSlot = selfSlot;
    this.toggle(selfSlot, 1);
  }

  /** How many others. */
  get count(): number {
    return this.#count - 1;
  }

  /** An address joins, or leaves. */
  toggle(slot: number, by: 1 | -1): void {
    this.#count += by;
    this.#hi ^= this.#directory.addressHi(slot);
    this.#lo ^= this.#directory.addressLo(slot);
    this.#view = null;
    this.#others = null;
  }

  clone(): Living {
    const copy = new Living(this.#directory, this.#selfSlot);
    copy.copy(this);
    return copy;
  }

  /** Takes what another list counts that has the same ones alive, itself among them. */
  copy(other: Living): void {
    this.#count = other.#count;
    this.#hi = other.#hi;
    this.#lo = other.#lo;
    this.#view = null;
    this.#others = null;
  }

  /** The others, in code unit order, by number. `isAlive` tells of slots whether they are in. */
  at(index: number, isAlive: (slot: number) => boolean): Address {
    const { addresses } = this.#sorted(isAlive);
    return addresses[index < this.#selfPlace ? index : index + 1] as Address;
  }

  /** The others as an array, which is the same until one joins or leaves. */
  others(isAlive: (slot: number) => boolean): readonly Address[] {
    const { addresses } = this.#sorted(isAlive);
    this.#others ??= addresses.filter((_, i) => i !== this.#selfPlace);
    return this.#others;
  }

  #sorted(isAlive: (slot: number) => boolean): AliveView {
    if (this.#view !== null) return this.#view;
    const directory = this.#directory;
    const view = directory.alive.find(this.#hi, this.#lo, this.#count, () => {
      const addresses: Address[] = [];
      for (const slot of directory.sortedSlots()) {
        if (slot === this.#selfSlot || isAlive(slot)) addresses.push(directory.addressOf(slot));
      }
      return addresses;
    });
    this.#view = view;
    this.#selfPlace = placeAmong(view.addresses, directory.addressOf(this.#selfSlot));
    return view;
  }
}
