/**
 * The identities known to a process, each once. Memberships hold small integers instead: a `slot`
 * stands for an address, an `entry` for an identity at it. A production process has one membership
 * and one directory; a simulator shares one among all its nodes, which is what lets 10,000 nodes
 * know 10,000 members each. What a member *knows* is in its own list alone: the directory only
 * spares spelling out the same identity again.
 */
import { assert } from "../base/assert.ts";
import { type Address, compareIds } from "../base/ids.ts";
import { hashText } from "../sync/set-hash.ts";
import { Writer } from "../wire/writer.ts";
import { AliveViews } from "./alive-views.ts";
import type { SeededList } from "./roster.ts";
import { type Identity, mix32, type Tag, tagOf, writeIdentity } from "./identity.ts";

const initialCapacity = 64;

interface RememberedList {
  readonly identities: readonly Identity[];
  readonly entries: Int32Array;
  readonly drops: number;
}

export class Directory {
  // Per entry.
  readonly #identities: (Identity | undefined)[] = [];
  readonly #bodies: (Uint8Array | undefined)[] = [];
  #tagLo = new Uint32Array(initialCapacity);
  #tagHi = new Uint16Array(initialCapacity);
  #slots = new Int32Array(initialCapacity);
  #references = new Uint32Array(initialCapacity);
  readonly #freeEntries: number[] = [];
  #entries = 0;

  // Per slot.
  readonly #addresses: (Address | undefined)[] = [];
  #groups = new Uint8Array(initialCapacity);
  #slotEntries = new Uint32Array(initialCapacity);
  /** The entry interned last at the slot: a short cut for an identity object that was seen before. */
  #lastEntries = new Int32Array(initialCapacity);
  readonly #freeSlots: number[] = [];
  readonly #slotOf = new Map<Address, number>();
  /** Lists of living members that are shared. */
  readonly alive = new AliveViews();
  /** What the next list that is seeded with the same members copies. */
  seeded: SeededList | null = null;
  #addressHis = new Int32Array(initialCapacity);
  #addressLos = new Int32Array(initialCapacity);
  /** Slots in use by address, until one comes or goes. */
  #sortedSlots: Int32Array | null = null;

  /** Open addressing by tag: entry + 1, or 0. A power of two, at most half full. */
  #table = new Int32Array(initialCapacity * 2);

  /** How many entries were given up so far: what was remembered before may be another's now. */
  #drops = 0;
  #lastList: RememberedList = { identities: [], entries: new Int32Array(0), drops: -1 };

  readonly #writer = new Writer();
  readonly #tag: Tag = { hi: 0, lo: 0 };

  /** Working memory of whoever handles a message just now: marks on slots. */
  #marks = new Uint32Array(initialCapacity);
  #mark = 0;

  /** One more than the highest slot ever used. */
  get slotCount(): number {
    return this.#addresses.length;
  }

  /** Identities kept. */
  get size(): number {
    return this.#entries - this.#freeEntries.length;
  }

  /** −1 for an address that nobody of the process knows. */
  slotOf(address: Address): number {
    return this.#slotOf.get(address) ?? -1;
  }

  addressOf(slot: number): Address {
    const address = this.#addresses[slot];
    assert(address !== undefined, "a slot in use has an address");
    return address;
  }

  /** Slots in use, in code unit order of their addresses: sorted once for all lists that need that order. */
  sortedSlots(): Int32Array {
    if (this.#sortedSlots === null) {
      const addresses = [...this.#slotOf.keys()].sort(compareIds);
      this.#sortedSlots = Int32Array.from(addresses, (address) => this.slotOf(address));
    }
    return this.#sortedSlots;
  }

  /** A hash of the address in two lanes of 32 bits. */
  addressHi(slot: number): number {
    return this.#addressHis[slot] as number;
  }

  addressLo(slot: number): number {
    return this.#addressLos[slot] as number;
  }

  /** 0–255, the same in every process: the group of members in whose digest the address counts. */
  groupOf(slot: number): number {
    return this.#groups[slot] as number;
  }

  identityOf(entry: number): Identity {
    const identity = this.#identities[entry];
    assert(identity !== undefined, "an entry in use has an identity");
    return identity;
  }

  /** The identity as it travels (`writeIdentity`). */
  bodyOf(entry: number): Uint8Array {
    const body = this.#bodies[entry];
    assert(body !== undefined, "an entry in use has a body");
    return body;
  }

  slotOfEntry(entry: number): number {
    return this.#slots[entry] as number;
  }

  tagLo(entry: number): number {
    return this.#tagLo[entry] as number;
  }

  tagHi(entry: number): number {
    return this.#tagHi[entry] as number;
  }

  /** −1 when no identity kept has this tag. */
  entryByTag(hi: number, lo: number): number {
    const mask = this.#table.length - 1;
    for (let at = mix32(lo) & mask; ; at = (at + 1) & mask) {
      const entry = (this.#table[at] as number) - 1;
      if (entry < 0) return -1;
      if (this.#tagLo[entry] === lo && this.#tagHi[entry] === hi) return entry;
    }
  }

  /** The entry of an identity, made if need be. The caller holds a reference and owes a `release`. */
  intern(identity: Identity): number {
    const slot = this.slotOf(identity.address);
    const last = slot < 0 ? -1 : (this.#lastEntries[slot] as number);
    if (last >= 0 && this.#identities[last] === identity) {
      this.retain(last);
      return last;
    }
    const w = this.#writer;
    w.reset();
    writeIdentity(w, identity);
    return this.#internBody(w.finish(), identity);
  }

  /**
   * As `intern`, for many. Handed the same array again, as when a simulator starts node after node,
   * it need not look at the identities anew.
   */
  internAll(identities: readonly Identity[]): Int32Array {
    const last = this.#lastList;
    if (last.identities === identities && last.drops === this.#drops) {
      for (const entry of last.entries) this.retain(entry);
      return last.entries;
    }
    this.seeded = null;
    const entries = Int32Array.from(identities, (identity) => this.intern(identity));
    this.#lastList = { identities, entries, drops: this.#drops };
    return entries;
  }

  /** As `intern`, from the identity and the very bytes that it was read from. */
  internRead(identity: Identity, body: Uint8Array): number {
    return this.#internBody(body.slice(), identity);
  }

  retain(entry: number): void {
    assert((this.#references[entry] as number) > 0, "retains what is held");
    this.#references[entry] = (this.#references[entry] as number) + 1;
  }

  /** Gives a reference back; without any, entry and slot are free for others. */
  release(entry: number): void {
    const references = this.#references[entry] as number;
    assert(references > 0, "releases what was retained");
    this.#references[entry] = references - 1;
    if (references === 1) this.#drop(entry);
  }

  /** A fresh mark: no slot bears it. */
  beginMarks(): void {
    if (this.#mark === 0xffff_ffff) {
      this.#marks.fill(0);
      this.#mark = 0;
    }
    this.#mark++;
  }

  mark(slot: number): void {
    if (slot >= this.#marks.length) {
      this.#marks = grown(this.#marks, new Uint32Array(this.#slotEntries.length));
    }
    this.#marks[slot] = this.#mark;
  }

  isMarked(slot: number): boolean {
    return this.#marks[slot] === this.#mark;
  }

  #internBody(body: Uint8Array, identity: Identity): number {
    const tag = this.#tag;
    tagOf(body, tag);
    const known = this.entryByTag(tag.hi, tag.lo);
    if (known >= 0) {
      this.#references[known] = (this.#references[known] as number) + 1;
      return known;
    }
    const entry = this.#freeEntries.pop() ?? this.#entries++;
    if (entry >= this.#tagLo.length) this.#growEntries();
    const slot = this.#slotFor(identity.address);
    this.#identities[entry] = identity;
    this.#bodies[entry] = body;
    this.#tagLo[entry] = tag.lo;
    this.#tagHi[entry] = tag.hi;
    this.#slots[entry] = slot;
    this.#references[entry] = 1;
    this.#slotEntries[slot] = (this.#slotEntries[slot] as number) + 1;
    this.#lastEntries[slot] = entry;
    if (this.size * 2 > this.#table.length) this.#rebuild(this.#table.length * 2);
    else this.#insert(entry);
    return entry;
  }

  #slotFor(address: Address): number {
    const known = this.#slotOf.get(address);
    if (known !== undefined) return known;
    const slot = this.#freeSlots.pop() ?? this.#addresses.length;
    if (slot >= this.#groups.length) this.#growSlots();
    this.#addresses[slot] = address;
    this.#groups[slot] = groupOfAddress(address);
    const { hi, lo } = hashText(address);
    this.#addressHis[slot] = hi;
    this.#addressLos[slot] = lo;
    this.#slotEntries[slot] = 0;
    this.#slotOf.set(address, slot);
    this.#sortedSlots = null;
    return slot;
  }

  #drop(entry: number): void {
    const slot = this.#slots[entry] as number;
    this.#drops++;
    this.#identities[entry] = undefined;
    this.#bodies[entry] = undefined;
    this.#freeEntries.push(entry);
    this.#remove(entry);
    const left = (this.#slotEntries[slot] as number) - 1;
    this.#slotEntries[slot] = left;
    if (left > 0) return;
    this.#slotOf.delete(this.addressOf(slot));
    this.#sortedSlots = null;
    this.#addresses[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  #insert(entry: number): void {
    const mask = this.#table.length - 1;
    let at = mix32(this.#tagLo[entry] as number) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = entry + 1;
  }

  /** Takes an entry out and moves those up that had to pass it (Knuth, volume 3, algorithm 6.4R). */
  #remove(entry: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = mix32(this.#tagLo[entry] as number) & mask;
    while (table[hole] !== entry + 1) {
      assert(table[hole] !== 0, "an entry in use is in the table");
      hole = (hole + 1) & mask;
    }
    table[hole] = 0;
    for (let at = (hole + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const moved = table[at] as number;
      const home = mix32(this.#tagLo[moved - 1] as number) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        table[hole] = moved;
        table[at] = 0;
        hole = at;
      }
    }
  }

  #rebuild(length: number): void {
    this.#table = new Int32Array(length);
    for (let entry = 0; entry < this.#entries; entry++) {
      if (this.#identities[entry] !== undefined) this.#insert(entry);
    }
  }

  #growEntries(): void {
    const length = this.#tagLo.length * 2;
    this.#tagLo = grown(this.#tagLo, new Uint32Array(length));
    this.#tagHi = grown(this.#tagHi, new Uint16Array(length));
    this.#slots = grown(this.#slots, new Int32Array(length));
    this.#references = grown(this.#references, new Uint32Array(length));
  }

  #growSlots(): void {
    const length = this.#groups.length * 2;
    this.#groups = grown(this.#groups, new Uint8Array(length));
    this.#addressHis = grown(this.#addressHis, new Int32Array(length));
    this.#addressLos = grown(this.#addressLos, new Int32Array(length));
    this.#lastEntries = grown(this.#lastEntries, new Int32Array(length));
    this.#slotEntries = grown(this.#slotEntries, new Uint32Array(length));
  }
}

function grown<A extends { set(source: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** FNV-1a over the UTF-16 units, its bits folded to eight. */
function groupOfAddress(address: Address): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < address.length; i++) {
    hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
  }
  return mix32(hash) & 0xff;
}
