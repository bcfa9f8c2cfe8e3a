/**
 * A set of integers as sorted, disjoint, non-adjacent ranges, both ends included: what a node
 * holds of an actor's versions, or of a version's chunks. Versions come nearly in order, so the
 * ranges are few and most additions lengthen the last one.
 */
import { assert } from "./assert.ts";

export type Interval = readonly [from: number, to: number];

/** What all sets of one range share; never written to. */
const none: number[] = [];

export class IntervalSet {
  /**
   * The last range stands in the set itself, empty while `#to` < `#from`: most sets are that one
   * range, most questions are about its end, and what lies elsewhere in memory has to be fetched.
   */
  #from = 1;
  #to = 0;
  /** The ranges before it: from, to, from, to, … */
  #ends: number[] = none;
  #count = 0;

  static of(ranges: Iterable<Interval>): IntervalSet {
    const set = new IntervalSet();
    for (const [from, to] of ranges) set.add(from, to);
    return set;
  }

  /** How many integers are in the set. */
  get count(): number {
    return this.#count;
  }

  /** How many ranges they make up. */
  get size(): number {
    return this.#ends.length / 2 + (this.isEmpty ? 0 : 1);
  }

  get isEmpty(): boolean {
    return this.#to < this.#from;
  }

  /** Smallest member; undefined when empty. */
  get min(): number | undefined {
    return this.#ends.length > 0 ? this.#ends[0] : this.isEmpty ? undefined : this.#from;
  }

  /** Largest member; undefined when empty. */
  get max(): number | undefined {
    return this.isEmpty ? undefined : this.#to;
  }

  /** Adds `from`..`to`; returns how many of them are new. */
  add(from: number, to: number = from): number {
    checkRange(from, to);
    if (from > this.#to && from <= this.#to + 1 && !this.isEmpty) {
      const added = to - this.#to;
      this.#to = to;
      this.#count += added;
      return added;
    }
    if (from >= this.#from && to <= this.#to) return 0;
    if (this.#count === 0) {
      this.#from = from;
      this.#to = to;
      this.#count = to - from + 1;
      return this.#count;
    }
    return this.#addWithin(this.#spilled(), from, to);
  }

  #addWithin(ends: number[], from: number, to: number): number {
    // `first`: the first range that touches or follows; `after`: the first one wholly beyond.
    const first = this.#firstEndingAtOrAfter(from - 1);
    let after = first;
    let held = 0;
    while (2 * after < ends.length && (ends[2 * after] as number) <= to + 1) {
      held += (ends[2 * after + 1] as number) - (ends[2 * after] as number) + 1;
      after++;
    }
    if (after === first) {
      if (2 * first === ends.length) ends.push(from, to);
      else ends.splice(2 * first, 0, from, to);
      this.#takeLast();
      this.#count += to - from + 1;
      return to - from + 1;
    }
    const low = Math.min(from, ends[2 * first] as number);
    const high = Math.max(to, ends[2 * after - 1] as number);
    ends[2 * first] = low;
    ends[2 * first + 1] = high;
    if (after - first > 1) ends.splice(2 * first + 2, 2 * (after - first - 1));
    this.#takeLast();
    const added = high - low + 1 - held;
    this.#count += added;
    return added;
  }

  /** Adds all of `other`; returns how many are new. */
  addAll(other: IntervalSet): number {
    if (other === this) return 0;
    let added = 0;
    for (const [from, to] of other.ranges()) added += this.add(from, to);
    return added;
  }

  /** Takes `from`..`to` out; returns how many of them were in. */
  remove(from: number, to: number = from): number {
    checkRange(from, to);
    if (from > this.#to) return 0;
    if (this.#ends.length === 0 && from <= this.#from && to >= this.#to) {
      const all = this.#count;
      this.clear();
      return all;
    }
    const ends = this.#spilled();
    const first = this.#firstEndingAtOrAfter(from);
    let after = first;
    let removed = 0;
    while (2 * after < ends.length && (ends[2 * after] as number) <= to) {
      const low = Math.max(from, ends[2 * after] as number);
      const high = Math.min(to, ends[2 * after + 1] as number);
      removed += high - low + 1;
      after++;
    }
    if (after === first) {
      this.#takeLast();
      return 0;
    }
    const kept: number[] = [];
    const low = ends[2 * first] as number;
    const high = ends[2 * after - 1] as number;
    if (low < from) kept.push(low, from - 1);
    if (high > to) kept.push(to + 1, high);
    ends.splice(2 * first, 2 * (after - first), ...kept);
    this.#takeLast();
    this.#count -= removed;
    assert(this.#count >= 0, "no more leaves a set than was in it");
    return removed;
  }

  /** Takes all of `other` out; returns how many were in. */
  removeAll(other: IntervalSet): number {
    let removed = 0;
    for (const [from, to] of other.ranges()) removed += this.remove(from, to);
    return removed;
  }

  has(n: number): boolean {
    if (n > this.#to) return false;
    if (n >= this.#from) return true;
    const i = 2 * this.#firstEndingAtOrAfter(n);
    return i < this.#ends.length && (this.#ends[i] as number) <= n;
  }

  /** True when each of `from`..`to` is in. */
  hasAll(from: number, to: number): boolean {
    checkRange(from, to);
    if (to > this.#to) return false;
    if (to >= this.#from) return from >= this.#from;
    const i = 2 * this.#firstEndingAtOrAfter(to);
    return i < this.#ends.length && (this.#ends[i] as number) <= from;
  }

  /** True when at least one of `from`..`to` is in. */
  hasAny(from: number, to: number): boolean {
    checkRange(from, to);
    if (from > this.#to || this.isEmpty) return false;
    if (to >= this.#from) return true;
    const i = 2 * this.#firstEndingAtOrAfter(from);
    return i < this.#ends.length && (this.#ends[i] as number) <= to;
  }

  /** True when something of `other` is in. */
  meets(other: IntervalSet): boolean {
    if (this.isEmpty || other.isEmpty) return false;
    if (this.hasAny(other.#from, other.#to)) return true;
    const ends = other.#ends;
    for (let i = 0; i < ends.length; i += 2) {
      if (this.hasAny(ends[i] as number, ends[i + 1] as number)) return true;
    }
    return false;
  }

  /** What is missing of `from`..`to`: ascending, disjoint; empty when `to` is below `from`. */
  gaps(from: number, to: number): Interval[] {
    const gaps: Interval[] = [];
    const ends = this.#ends;
    let next = from;
    let i = from >= this.#from ? ends.length : 2 * this.#firstEndingAtOrAfter(from);
    for (; i < ends.length && next <= to; i += 2) {
      const low = ends[i] as number;
      if (low > to) break;
      if (low > next) gaps.push([next, low - 1]);
      next = (ends[i + 1] as number) + 1;
    }
    if (next <= this.#to && to >= this.#from && !this.isEmpty) {
      if (this.#from > next) gaps.push([next, this.#from - 1]);
      next = this.#to + 1;
    }
    if (next <= to) gaps.push([next, to]);
    return gaps;
  }

  /** What is missing of 1..`head`, for versions, which count from 1. */
  gapsBelow(head: number): Interval[] {
    return this.gaps(1, head);
  }

  /** What is in, of `from`..`to`: ascending, disjoint. */
  within(from: number, to: number): Interval[] {
    const parts: Interval[] = [];
    const ends = this.#ends;
    let i = from >= this.#from ? ends.length : 2 * this.#firstEndingAtOrAfter(from);
    for (; i < ends.length; i += 2) {
      const low = ends[i] as number;
      if (low > to) break;
      parts.push([Math.max(low, from), Math.min(ends[i + 1] as number, to)]);
    }
    if (from <= this.#to && to >= this.#from && from <= to && !this.isEmpty) {
      parts.push([Math.max(this.#from, from), Math.min(this.#to, to)]);
    }
    return parts;
  }

  /** Range number `i` of `size`, ascending, without a list of all of them. */
  rangeAt(i: number): Interval {
    const at = 2 * i;
    assert(at >= 0 && i < this.size, "a set has the range that it is asked for");
    if (at === this.#ends.length) return [this.#from, this.#to];
    return [this.#ends[at] as number, this.#ends[at + 1] as number];
  }

  /** All ranges, ascending. */
  ranges(): Interval[] {
    const ranges: Interval[] = [];
    for (let i = 0; i < this.#ends.length; i += 2) {
      ranges.push([this.#ends[i] as number, this.#ends[i + 1] as number]);
    }
    if (!this.isEmpty) ranges.push([this.#from, this.#to]);
    return ranges;
  }

  clone(): IntervalSet {
    const copy = new IntervalSet();
    copy.#from = this.#from;
    copy.#to = this.#to;
    copy.#ends = this.#ends.length === 0 ? none : this.#ends.slice();
    copy.#count = this.#count;
    return copy;
  }

  clear(): void {
    this.#from = 1;
    this.#to = 0;
    this.#ends = none;
    this.#count = 0;
  }

  equals(other: IntervalSet): boolean {
    if (this.#from !== other.#from || this.#to !== other.#to) return false;
    const a = this.#ends;
    const b = other.#ends;
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  }

  /** All ranges in one array, for changes further below; `#takeLast` ends that. */
  #spilled(): number[] {
    if (this.#ends === none) this.#ends = [];
    if (!this.isEmpty) this.#ends.push(this.#from, this.#to);
    return this.#ends;
  }

  #takeLast(): void {
    const ends = this.#ends;
    if (ends.length === 0) {
      this.#from = 1;
      this.#to = 0;
    } else {
      this.#to = ends.pop() as number;
      this.#from = ends.pop() as number;
    }
  }

  /** Number of the first range in `#ends` whose upper end is at or after `n`; their number when there is none. */
  #firstEndingAtOrAfter(n: number): number {
    const ends = this.#ends;
    let low = 0;
    let high = ends.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[2 * middle + 1] as number) < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function checkRange(from: number, to: number): void {
  assert(Number.isSafeInteger(from) && Number.isSafeInteger(to), "range ends are safe integers");
  assert(from <= to, "a range does not end before it begins");
}
