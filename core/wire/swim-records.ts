/**
 * Records about members, as they ride on every membership message. A member that the receiver is
 * expected to know is named by its identity's 48-bit tag, which makes a rumor of 9 to 22 bytes; a
 * newcomer's record carries the whole identity. Decoded into flat arrays that are used again for
 * every message, so that a rumor heard for the twentieth time costs no allocation.
 */
import type { MemberState } from "../node/event.ts";
import { maxAccusers } from "../swim/suspicions.ts";
import { incarnationCeiling, maxIdentityBytes } from "../swim/identity.ts";
import type { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

const stateBits = 0x03;
const fullBit = 0x04;
const accuserShift = 3;
const states: readonly MemberState[] = ["alive", "suspect", "down", "left"];

/** Tag, head, incarnation of at most 5 bytes, three accusers, an age, the identity, with room to grow. */
const maxRecordBytes = 6 + 1 + 8 + 4 * maxAccusers + 8 + 2 + maxIdentityBytes + 256;
const minRecordBytes = 1 + 6 + 1 + 1;

/** More members than this are no cluster that this program is made for. */
export const maxRecords = 1 << 17;

/** A claim about a member, as plain data: for tests, transcripts and the odd message. */
export interface MemberRecord {
  readonly tagHi: number;
  readonly tagLo: number;
  readonly state: MemberState;
  readonly incarnation: number;
  /** Of a suspect: low halves of the accusers' tags, 0 for hearsay. */
  readonly accusers: readonly number[];
  /** Of one down or left: seconds since. */
  readonly ageSec: number;
  /** The encoded identity (`core/swim/identity.ts`), or null in a short record. */
  readonly body: Uint8Array | null;
}

/** The records of the message decoded last. */
export class RecordBatch {
  length = 0;
  tagHi = new Uint16Array(64);
  tagLo = new Uint32Array(64);
  ranks = new Uint8Array(64);
  incarnations = new Uint32Array(64);
  accuserCounts = new Uint8Array(64);
  accusers = new Uint32Array(64 * maxAccusers);
  agesSec = new Float64Array(64);
  readonly bodies: (Uint8Array | null)[] = [];

  clear(): void {
    this.length = 0;
    this.bodies.length = 0;
  }

  stateAt(index: number): MemberState {
    return states[this.ranks[index] as number] as MemberState;
  }

  accuserAt(index: number, which: number): number {
    return this.accusers[index * maxAccusers + which] as number;
  }

  /** A copy that outlives the next message. */
  recordAt(index: number): MemberRecord {
    const accusers: number[] = [];
    for (let i = 0; i < (this.accuserCounts[index] as number); i++) {
      accusers.push(this.accuserAt(index, i));
    }
    return {
      tagHi: this.tagHi[index] as number,
      tagLo: this.tagLo[index] as number,
      state: this.stateAt(index),
      incarnation: this.incarnations[index] as number,
      accusers,
      ageSec: this.agesSec[index] as number,
      body: this.bodies[index]?.slice() ?? null,
    };
  }

  /** Reads one length-prefixed record to the end of the batch. @throws WireError */
  read(r: Reader): void {
    const at = this.length;
    if (at === this.tagHi.length) this.#grow();
    const outer = r.enter(maxRecordBytes);
    this.tagHi[at] = r.u16();
    this.tagLo[at] = r.u32();
    const head = r.u8();
    const rank = head & stateBits;
    this.ranks[at] = rank;
    const incarnation = r.varint();
    if (incarnation > incarnationCeiling) throw new WireError("incarnation past its ceiling");
    this.incarnations[at] = incarnation;
    const accusers = (head >> accuserShift) & 0x03;
    this.accuserCounts[at] = accusers;
    for (let i = 0; i < accusers; i++) this.accusers[at * maxAccusers + i] = r.u32();
    this.agesSec[at] = rank >= 2 ? r.varint() : 0;
    this.bodies.push((head & fullBit) === 0 ? null : r.bytes(maxIdentityBytes));
    r.leave(outer);
    this.length = at + 1;
  }

  #grow(): void {
    const capacity = this.tagHi.length * 2;
    const grow = <A extends { set(source: A): void }>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.tagHi = grow(this.tagHi, new Uint16Array(capacity));
    this.tagLo = grow(this.tagLo, new Uint32Array(capacity));
    this.ranks = grow(this.ranks, new Uint8Array(capacity));
    this.incarnations = grow(this.incarnations, new Uint32Array(capacity));
    this.accuserCounts = grow(this.accuserCounts, new Uint8Array(capacity));
    this.accusers = grow(this.accusers, new Uint32Array(capacity * maxAccusers));
    this.agesSec = grow(this.agesSec, new Float64Array(capacity));
  }
}

/** Who accused whom: low halves of tags, at most `maxAccusers` a suspicion. */
export interface Accusers {
  accusersAt(suspicion: number): number;
  accuserAt(suspicion: number, which: number): number;
}

/**
 * Writes one record. `rank`: the state's place in alive, suspect, down, left. `suspicion`: whose
 * accusers are told, or −1. `body`: null for a short record.
 */
export function writeRecord(
  w: Writer,
  tagHi: number,
  tagLo: number,
  rank: number,
  incarnation: number,
  accusers: Accusers,
  suspicion: number,
  ageSec: number,
  body: Uint8Array | null,
): void {
  const accuserCount = suspicion < 0 ? 0 : accusers.accusersAt(suspicion);
  const start = w.beginRecord();
  w.u16(tagHi);
  w.u32(tagLo);
  w.u8(rank | (body === null ? 0 : fullBit) | (accuserCount << accuserShift));
  w.varint(incarnation);
  for (let i = 0; i < accuserCount; i++) w.u32(accusers.accuserAt(suspicion, i));
  if (rank >= 2) w.varint(ageSec);
  if (body !== null) w.bytes(body);
  w.endRecord(start);
}

/** Reads `count` records and, before them if there are any, the sender's idea of the cluster's size. */
export function readUpdates(r: Reader, batch: RecordBatch): number {
  batch.clear();
  const count = r.count(minRecordBytes, maxRecords);
  if (count === 0) return 0;
  const size = r.varint();
  for (let i = 0; i < count; i++) batch.read(r);
  return Math.min(size, maxRecords);
}

export function writeRecordObject(w: Writer, record: MemberRecord): void {
  writeRecord(
    w,
    record.tagHi,
    record.tagLo,
    states.indexOf(record.state),
    record.incarnation,
    { accusersAt: () => record.accusers.length, accuserAt: (_, i) => record.accusers[i] ?? 0 },
    0,
    record.ageSec,
    record.body,
  );
}
