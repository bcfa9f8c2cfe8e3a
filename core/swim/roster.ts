/**
 * The member list of one node: one flat array of 20 bytes a member, indexed by the directory's
 * slots, and 4 more for its place in the order of probing; no object per member. All that is known
 * of a member lies together, because in a large cluster each look at it is a miss of the cache.
 * Keeps the order of probing, the digests of the groups and the list of living addresses in step
 * with every change.
 */
import { Arena } from "../base/arena.ts";
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { MemberState } from "../node/event.ts";
import type { Directory } from "./directory.ts";
import type { Identity } from "./identity.ts";
import { mix32 } from "./identity.ts";
import { Living } from "./living.ts";
import { SlotList } from "./slot-list.ts";

/** Groups of the finest digest; coarser ones are sums of these. */
export const digestGroups = 256;

const states: readonly MemberState[] = ["alive", "suspect", "down", "left"];
/** Words of a member's cell. */
const cellWords = 5;
/** (entry + 1)·4 + the state's rank, or 0 where nothing is known. */
const whoWord = 0;
const incarnationWord = 1;
/** Of a suspect: its place among the suspicions. Of one down or gone: the second in which it went, this node's clock. */
const noteWord = 2;
/** Place in the list of its state. */
const positionWord = 3;
/** The rumor queue's. */
const rumorWord = 4;

const alive = 0;
const suspect = 1;
const down = 2;
const left = 3;

/** A member as told to people and tests. */
export interface Member extends Identity {
  readonly state: MemberState;
  readonly incarnation: number;
}

/** A list as it is right after all its members were seeded. */
export interface SeededList {
  readonly entries: Int32Array;
  readonly cells: Int32Array;
  /** Of the entries, in their order. */
  readonly slots: Int32Array;
  readonly groups: Uint32Array;
  readonly root: number;
  readonly living: Living;
  /** For those that copy it. */
  readonly room: Arena;
}

export class Roster {
  readonly directory: Directory;
  readonly selfSlot: number;
  /** How often this node took another identity. */
  selfChanges = 0;
  #selfEntry: number;
  #cells: Int32Array;
  #capacity: number;
  readonly #groups = new Uint32Array(digestGroups);
  #root = 0;
  #known = 0;
  #suspects = 0;
  /** All others alive or suspect; those before the cursor were probed in this pass. */
  readonly #peers = new SlotList();
  #cursor = 0;
  readonly #downs = new SlotList();
  /** Their number, at hand: every event asks whether there are any. */
  #downCount = 0;
  readonly #lefts = new SlotList();
  readonly #living: Living;
  /** The directory also has those whom others of the process know. */
  readonly #isAlive = (slot: number): boolean =>
    this.entryAt(slot) >= 0 && this.rankAt(slot) === alive;

  /** Knows itself alone, alive. `selfEntry`: the caller's reference becomes the roster's. */
  constructor(directory: Directory, selfEntry: number) {
    this.directory = directory;
    this.selfSlot = directory.slotOfEntry(selfEntry);
    this.#capacity = Math.max(8, this.selfSlot + 1);
    this.#cells = new Int32Array(this.#capacity * cellWords);
    this.#selfEntry = selfEntry;
    this.#cells[this.selfSlot * cellWords] = (selfEntry + 1) * 4;
    this.#known = 1;
    this.#count(this.selfSlot, 1);
    this.#living = new Living(directory, this.selfSlot);
  }

  /** This node's own entry. */
  get selfEntry(): number {
    return this.#selfEntry;
  }

  /** Everyone known, this node included, whatever the state. */
  get known(): number {
    return this.#known;
  }

  /** Alive or suspect, this node included: the n of every formula. */
  get size(): number {
    return this.#peers.length + 1;
  }

  get suspects(): number {
    return this.#suspects;
  }

  /** Others, alive or suspect. */
  get peers(): number {
    return this.#peers.length;
  }

  get downs(): number {
    return this.#downCount;
  }

  get lefts(): number {
    return this.#lefts.length;
  }

  get root(): number {
    return this.#root;
  }

  /** One more than the highest slot that may be known here. */
  get capacity(): number {
    return this.#capacity;
  }

  /** −1 when the slot's address is not known here. */
  entryAt(slot: number): number {
    if (slot < 0 || slot >= this.#capacity) return -1;
    return ((this.#cells[slot * cellWords] as number) >> 2) - 1;
  }

  /** As a number: its place in alive, suspect, down, left. The slot is known. */
  rankAt(slot: number): number {
    return (this.#cells[slot * cellWords] as number) & 3;
  }

  stateAt(slot: number): MemberState {
    return states[this.rankAt(slot)] as MemberState;
  }

  incarnationAt(slot: number): number {
    return (this.#cells[slot * cellWords + incarnationWord] as number) >>> 0;
  }

  noteAt(slot: number): number {
    return (this.#cells[slot * cellWords + noteWord] as number) >>> 0;
  }

  setNote(slot: number, note: number): void {
    this.#cells[slot * cellWords + noteWord] = note;
  }

  /** What the rumor queue keeps with a member; 0 at first. */
  rumorAt(slot: number): number {
    return this.#cells[slot * cellWords + rumorWord] as number;
  }

  setRumor(slot: number, word: number): void {
    this.#cells[slot * cellWords + rumorWord] = word;
  }

  /** Alive or suspect, and not this node. */
  isPeer(slot: number): boolean {
    return this.entryAt(slot) >= 0 && this.rankAt(slot) <= suspect && slot !== this.selfSlot;
  }

  peerAt(index: number): number {
    return this.#peers.at(index);
  }

  downAt(index: number): number {
    return this.#downs.at(index);
  }

  leftAt(index: number): number {
    return this.#lefts.at(index);
  }

  /** Sum over the groups g with g mod `groups` = `index`; `groups` a power of two, at most `digestGroups`. */
  groupDigest(index: number, groups: number): number {
    let sum = 0;
    for (let g = index; g < digestGroups; g += groups) sum += this.#groups[g] as number;
    return sum >>> 0;
  }

  reserve(slots: number): void {
    this.#peers.reserve(slots);
    if (slots <= this.#capacity) return;
    const cells = new Int32Array(slots * cellWords);
    cells.set(this.#cells);
    this.#cells = cells;
    this.#capacity = slots;
  }

  /** Adds a member, or changes what is known of its address. A newcomer takes a random place in the order of probing. */
  set(slot: number, entry: number, state: MemberState, incarnation: number, rng: Rng): void {
    assert(this.directory.slotOfEntry(entry) === slot, "an entry is at its own address");
    assert(incarnation <= 0xffff_ffff, "an incarnation is 32 bits");
    if (slot >= this.#capacity) {
      this.reserve(Math.max(slot + 1, Math.min(this.directory.slotCount, slot * 2)));
    }
    const held = this.entryAt(slot);
    const rank = states.indexOf(state);
    const before = held < 0 ? -1 : this.rankAt(slot);
    if (held >= 0) this.#count(slot, -1);
    else this.#known++;
    if (held !== entry) {
      this.directory.retain(entry);
      if (held >= 0) this.directory.release(held);
    }
    if (slot === this.selfSlot && held !== entry) {
      this.#selfEntry = entry;
      this.selfChanges++;
    }
    this.#cells[slot * cellWords + whoWord] = (entry + 1) * 4 + rank;
    this.#cells[slot * cellWords + incarnationWord] = incarnation;
    this.#count(slot, 1);
    this.#move(slot, before, rank, rng);
  }

  /**
   * Adds a member that is alive at incarnation 0, without a draw for its place among the others:
   * for lists that are known from the beginning.
   */
  seed(entry: number): void {
    const slot = this.directory.slotOfEntry(entry);
    if (this.entryAt(slot) >= 0) return;
    this.directory.retain(entry);
    this.#cells[slot * cellWords + whoWord] = (entry + 1) * 4;
    this.#known++;
    this.#count(slot, 1);
    this.#place(slot, this.#peers.push(slot));
    this.#living.toggle(slot, 1);
  }

  /** `seed` for many. The first list of a process to be seeded with them is a pattern that the others copy. */
  seedAll(entries: Int32Array): void {
    const { directory } = this;
    const pattern = directory.seeded;
    if (pattern?.entries === entries && this.#known === 1 && this.#copySeeded(pattern)) return;
    this.reserve(directory.slotCount);
    for (const entry of entries) this.seed(entry);
    const plain = this.#known === entries.length && this.#peers.length + 1 === entries.length;
    if (!plain) return;
    directory.seeded = {
      entries,
      cells: this.#cells.slice(),
      slots: Int32Array.from(entries, (entry) => directory.slotOfEntry(entry)),
      groups: this.#groups.slice(),
      root: this.#root,
      living: this.#living.clone(),
      room: new Arena(),
    };
  }

  /** False when this node is not one of the pattern as it stands there. */
  #copySeeded(pattern: SeededList): boolean {
    const { entries, cells, slots } = pattern;
    const self = slots.indexOf(this.selfSlot);
    if (self < 0 || entries[self] !== this.#selfEntry || this.incarnationAt(this.selfSlot) !== 0) {
      return false;
    }
    const own = this.#cells.slice(this.selfSlot * cellWords, (this.selfSlot + 1) * cellWords);
    const peers = pattern.room.take(slots.length - 1);
    this.#cells = pattern.room.take(cells.length);
    this.#cells.set(cells);
    this.#capacity = cells.length / cellWords;
    this.#cells.set(own, this.selfSlot * cellWords);
    for (let i = 0; i < slots.length; i++) {
      if (i === self) continue;
      const at = i < self ? i : i - 1;
      peers[at] = slots[i] as number;
      this.#place(slots[i] as number, at);
      this.directory.retain(entries[i] as number);
    }
    this.#peers.adopt(peers);
    this.#groups.set(pattern.groups);
    this.#root = pattern.root;
    this.#known = slots.length;
    this.#living.copy(pattern.living);
    return true;
  }

  /** Drops a member and all that is known of it. */
  forget(slot: number): void {
    const entry = this.entryAt(slot);
    assert(entry >= 0 && slot !== this.selfSlot, "forgets another that is known");
    this.#count(slot, -1);
    this.#known--;
    if (this.rankAt(slot) === alive) this.#living.toggle(slot, -1);
    this.#unlist(slot, this.rankAt(slot));
    this.#cells.fill(0, slot * cellWords, (slot + 1) * cellWords);
    this.directory.release(entry);
  }

  /** Gives every entry back: this list is no longer used. */
  dispose(): void {
    for (let slot = 0; slot < this.#capacity; slot++) {
      const entry = this.entryAt(slot);
      if (entry >= 0) this.directory.release(entry);
    }
    this.#cells = new Int32Array(0);
    this.#capacity = 0;
  }

  /** The next to probe: shuffled round robin, the shuffle drawn as it goes. −1 without peers. */
  nextProbe(rng: Rng): number {
    const total = this.#peers.length;
    if (total === 0) return -1;
    if (this.#cursor >= total) this.#cursor = 0;
    this.#swapPeers(this.#cursor, this.#cursor + rng.below(total - this.#cursor));
    return this.#peers.at(this.#cursor++);
  }

  /** How many others are alive. */
  get aliveCount(): number {
    return this.#living.count;
  }

  /** The others that are alive, in code unit order, by number. */
  aliveAt(index: number): Address {
    return this.#living.at(index, this.#isAlive);
  }

  /** The same as an array, which is the same until the list changes. */
  aliveAddresses(): readonly Address[] {
    return this.#living.others(this.#isAlive);
  }

  memberAt(slot: number): Member {
    const identity = this.directory.identityOf(this.entryAt(slot));
    return { ...identity, state: this.stateAt(slot), incarnation: this.incarnationAt(slot) };
  }

  /** Adds a slot's share to the digests, or takes it out. */
  #count(slot: number, sign: 1 | -1): void {
    const entry = this.entryAt(slot);
    const state = this.rankAt(slot) + 1;
    const tag = this.directory.tagLo(entry) ^ (this.directory.tagHi(entry) << 7);
    const said = Math.imul(this.incarnationAt(slot), 0x9e3779b1) ^ (state << 29);
    const share = mix32(tag ^ mix32(said)) * sign;
    const group = this.directory.groupOf(slot);
    this.#groups[group] = ((this.#groups[group] as number) + share) >>> 0;
    this.#root = (this.#root + share) >>> 0;
  }

  #move(slot: number, before: number, rank: number, rng: Rng): void {
    if (slot === this.selfSlot) return;
    const wasPeer = before === alive || before === suspect;
    if (wasPeer && rank <= suspect) {
      this.#suspects += (rank === suspect ? 1 : 0) - (before === suspect ? 1 : 0);
    } else {
      if (before >= 0) this.#unlist(slot, before);
      this.#list(slot, rank, rng);
    }
    if ((before === alive) !== (rank === alive)) this.#living.toggle(slot, rank === alive ? 1 : -1);
  }

  #list(slot: number, rank: number, rng: Rng): void {
    const list = this.#listOf(rank);
    this.#place(slot, list.push(slot));
    if (rank === suspect) this.#suspects++;
    this.#downCount = this.#downs.length;
    if (rank > suspect) return;
    // Into the part that was probed already, as likely as that part is large.
    const end = list.length - 1;
    if (rng.below(end + 1) < this.#cursor) this.#swapPeers(this.#cursor++, end);
  }

  #unlist(slot: number, rank: number): void {
    if (rank === suspect) this.#suspects--;
    if (rank <= suspect && this.#placeOf(slot) < this.#cursor) {
      this.#swapPeers(this.#placeOf(slot), --this.#cursor);
    }
    const at = this.#placeOf(slot);
    const moved = this.#listOf(rank).removeAt(at);
    this.#downCount = this.#downs.length;
    if (moved >= 0) this.#place(moved, at);
  }

  #listOf(rank: number): SlotList {
    return rank === down ? this.#downs : rank === left ? this.#lefts : this.#peers;
  }

  #placeOf(slot: number): number {
    return this.#cells[slot * cellWords + positionWord] as number;
  }

  #place(slot: number, at: number): void {
    this.#cells[slot * cellWords + positionWord] = at;
  }

  #swapPeers(i: number, j: number): void {
    if (i === j) return;
    this.#peers.swap(i, j);
    this.#place(this.#peers.at(i), i);
    this.#place(this.#peers.at(j), j);
  }
}
