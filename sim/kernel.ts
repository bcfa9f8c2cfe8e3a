/**
 * Virtual time: a heap of events ordered by (time, order of scheduling). Time is an integer number
 * of microseconds since the run began. The heap is a 4-ary one in typed arrays, and what an event
 * carries lies in slots that are used again: scheduling allocates nothing.
 */
import { assert } from "../core/base/assert.ts";

const initialCapacity = 1024;

export class Kernel {
  /** Microseconds since the run began. Never decreases. */
  nowUs = 0;
  /** How many events were taken so far. */
  taken = 0;
  // What the event taken last carries; meaning is the scheduler's.
  kind = 0;
  a = 0;
  b = 0;
  c = 0;
  ref: unknown = null;

  #limitUs = 0;
  #size = 0;
  #order = 0;
  #capacity = initialCapacity;
  #times = new Float64Array(initialCapacity);
  #orders = new Float64Array(initialCapacity);
  #slots = new Int32Array(initialCapacity);
  #kinds = new Uint8Array(initialCapacity);
  #as = new Int32Array(initialCapacity);
  #bs = new Float64Array(initialCapacity);
  #cs = new Int32Array(initialCapacity);
  #refs: unknown[] = [];
  /** Slots not in use, as a stack. */
  #free = new Int32Array(initialCapacity);
  #freeCount = 0;

  constructor() {
    for (let i = initialCapacity - 1; i >= 0; i--) this.#free[this.#freeCount++] = i;
  }

  get pending(): number {
    return this.#size;
  }

  /** When the earliest event is due, or Infinity. */
  get nextUs(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] as number);
  }

  /** `atUs` is rounded up to a whole microsecond; a time that has passed counts as now. */
  schedule(atUs: number, kind: number, a: number, b: number, c: number, ref: unknown): void {
    assert(atUs === atUs && atUs < 9e15, "an event is due at a finite time");
    if (this.#size === this.#capacity) this.#grow();
    const slot = this.#free[--this.#freeCount] as number;
    this.#kinds[slot] = kind;
    this.#as[slot] = a;
    this.#bs[slot] = b;
    this.#cs[slot] = c;
    this.#refs[slot] = ref;
    const time = atUs <= this.nowUs ? this.nowUs : Math.ceil(atUs);
    this.#rise(this.#size++, time, this.#order++, slot);
  }

  /**
   * Sets the clock to `us` in place of an event that would be due then and be the very next one;
   * false where it would not be. For whoever is busy until `us` with nobody to interrupt.
   */
  skipTo(us: number): boolean {
    const at = Math.ceil(us);
    if (at > this.#limitUs || at < this.nowUs) return false;
    if (this.#size > 0 && (this.#times[0] as number) <= at) return false;
    this.nowUs = at;
    this.taken++;
    return true;
  }

  /** Takes the earliest event due by `untilUs` and sets the clock to it; false if there is none. */
  take(untilUs: number): boolean {
    this.#limitUs = untilUs;
    if (this.#size === 0) return false;
    const time = this.#times[0] as number;
    if (time > untilUs) return false;
    assert(time >= this.nowUs, "virtual time never runs backwards");
    const slot = this.#slots[0] as number;
    this.nowUs = time;
    this.taken++;
    this.kind = this.#kinds[slot] as number;
    this.a = this.#as[slot] as number;
    this.b = this.#bs[slot] as number;
    this.c = this.#cs[slot] as number;
    this.ref = this.#refs[slot];
    this.#refs[slot] = null;
    this.#free[this.#freeCount++] = slot;
    const last = --this.#size;
    if (last > 0) {
      this.#sink(
        this.#times[last] as number,
        this.#orders[last] as number,
        this.#slots[last] as number,
      );
    }
    return true;
  }

  /** Sets the clock forward when nothing is due before `us`. */
  advance(us: number): void {
    assert(this.nextUs >= us, "no event is passed over");
    if (us > this.nowUs) this.nowUs = us;
  }

  /** Places an entry at `hole` or above it. */
  #rise(hole: number, time: number, order: number, slot: number): void {
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    let at = hole;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      // A new entry has the highest order, so equal times stay behind their elders.
      if ((times[parent] as number) <= time) break;
      times[at] = times[parent] as number;
      orders[at] = orders[parent] as number;
      slots[at] = slots[parent] as number;
      at = parent;
    }
    times[at] = time;
    orders[at] = order;
    slots[at] = slot;
  }

  /** Places an entry at the root or below it. */
  #sink(time: number, order: number, slot: number): void {
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    const size = this.#size;
    let at = 0;
    for (;;) {
      const first = at * 4 + 1;
      if (first >= size) break;
      const end = first + 4 < size ? first + 4 : size;
      let best = first;
      let bestTime = times[first] as number;
      let bestOrder = orders[first] as number;
      for (let child = first + 1; child < end; child++) {
        const childTime = times[child] as number;
        if (childTime > bestTime) continue;
        const childOrder = orders[child] as number;
        if (childTime < bestTime || childOrder < bestOrder) {
          best = child;
          bestTime = childTime;
          bestOrder = childOrder;
        }
      }
      if (time < bestTime || (time === bestTime && order < bestOrder)) break;
      times[at] = bestTime;
      orders[at] = bestOrder;
      slots[at] = slots[best] as number;
      at = best;
    }
    times[at] = time;
    orders[at] = order;
    slots[at] = slot;
  }

  #grow(): void {
    const before = this.#capacity;
    const capacity = before * 2;
    this.#times = grown(this.#times, new Float64Array(capacity));
    this.#orders = grown(this.#orders, new Float64Array(capacity));
    this.#slots = grown(this.#slots, new Int32Array(capacity));
    this.#kinds = grown(this.#kinds, new Uint8Array(capacity));
    this.#as = grown(this.#as, new Int32Array(capacity));
    this.#bs = grown(this.#bs, new Float64Array(capacity));
    this.#cs = grown(this.#cs, new Int32Array(capacity));
    this.#free = new Int32Array(capacity);
    this.#freeCount = 0;
    for (let i = capacity - 1; i >= before; i--) this.#free[this.#freeCount++] = i;
    this.#capacity = capacity;
  }
}

function grown<T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
