/**
 * Messages of anti-entropy. Two nodes in agreement exchange one digest; otherwise one asks the
 * other with a hash per bucket of actors, is told the holdings of the actors in those buckets that
 * differ, and then asks for versions in windows of bounded size.
 */
import type { ActorId } from "../base/ids.ts";
import type { Interval } from "../base/interval-set.ts";
import type { Chunk, VersionRange, Want } from "../node/store.ts";
import { readChunk, readSeal, writeChunk } from "./chunk.ts";
import { beginMessage, type DecoderTable, decoderTable } from "./envelope.ts";
import { maxChunksPerVersion, maxFrameBytes } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { readHash, type WireHash, writeHash } from "./wire-hash.ts";
import { type RepairMessage, repairDecoders } from "./repair-messages.ts";
import { WireError } from "./wire-error.ts";
import { Writer } from "./writer.ts";

/** What a node holds, in one small message. All three hashes are of the same moment. */
export interface Digest {
  /** Of all that is held, whole or in part. */
  readonly holdings: WireHash;
  /** Of all living rows with their merge metadata. */
  readonly state: WireHash;
  readonly schema: WireHash;
  /** Some versions wait for a schema, so the state says nothing about the holdings. */
  readonly quarantined: boolean;
  /** An answer: not to be answered by a digest in turn. */
  readonly reply: boolean;
  /** What is new in it came by sync, so no broadcast will bring it. */
  readonly news: boolean;
}

/** What a peer holds of an actor. One actor may be told in several entries. */
export interface HoldingsEntry {
  readonly actor: ActorId;
  /** Versions held whole: ascending, disjoint. */
  readonly held: readonly Interval[];
  readonly partial: readonly {
    readonly version: number;
    readonly count: number;
    readonly have: readonly Interval[];
  }[];
}

export type SyncMessage =
  | ({ readonly type: "digest" } & Digest)
  | {
      readonly type: "ask";
      readonly token: number;
      readonly holdings: WireHash;
      /** Hashes of 2^n buckets of actors, two lanes each. */
      readonly buckets: Int32Array;
    }
  | {
      readonly type: "tell";
      readonly token: number;
      readonly page: number;
      readonly last: boolean;
      /** All that the peer holds, as of this page. */
      readonly holdings: WireHash;
      readonly entries: readonly HoldingsEntry[];
    }
  | {
      readonly type: "request";
      readonly id: number;
      readonly maxBytes: number;
      readonly wants: readonly Want[];
    }
  | { readonly type: "chunks"; readonly id: number; readonly chunks: readonly Chunk[] }
  | {
      readonly type: "done";
      readonly id: number;
      /** The peer could not serve now; nothing of the rest means anything. */
      readonly failed: boolean;
      readonly overwritten: readonly VersionRange[];
      /** Held by the peer, but past `maxBytes`: to be asked for again. */
      readonly rest: readonly Want[];
    }
  | RepairMessage;

/** Wants in one request, and ranges in one answer. */
export const maxWants = 1024;
export const maxOverwrittenRanges = 65_536;
/** Ranges of one entry or want; what is more goes into another. */
export const maxRangesPerEntry = 4096;
export const maxEntriesPerPage = 4096;
/** Smallest versions number bound: see `maxVersion` of the ledger. */
const versionBound = 2 ** 48;
/** 2^6 buckets at the most. */
const maxBucketBits = 6;

const writer = new Writer(64 * 1024);
const noSeal = new Uint8Array(0);

export function encodeDigest(digest: Digest): Uint8Array {
  beginMessage(writer, "syncDigest");
  writer.u8((digest.reply ? 1 : 0) | (digest.quarantined ? 2 : 0) | (digest.news ? 4 : 0));
  writeHash(writer, digest.holdings);
  writeHash(writer, digest.state);
  writeHash(writer, digest.schema);
  return writer.finish();
}

/** @param buckets lanes of 2^n hashes. */
export function encodeAsk(token: number, holdings: WireHash, buckets: Int32Array): Uint8Array {
  beginMessage(writer, "syncSummary");
  writer.u8(0);
  writer.varint(token);
  writeHash(writer, holdings);
  writer.u8(31 - Math.clz32(buckets.length / 2));
  for (const lane of buckets) writer.u32(lane >>> 0);
  return writer.finish();
}

/** A page of holdings, written entry by entry until it is full. */
export class TellWriter {
  readonly #body = new Writer(4096);
  readonly #entry = new Writer(1024);
  #count = 0;

  get bytes(): number {
    return this.#body.length;
  }

  get count(): number {
    return this.#count;
  }

  add(entry: HoldingsEntry): void {
    const w = this.#entry;
    w.reset();
    w.id(entry.actor);
    writeRanges(w, entry.held, 1);
    w.varint(entry.partial.length);
    for (const { version, count, have } of entry.partial) {
      w.varint(version);
      w.varint(count);
      writeRanges(w, have, 0);
    }
    this.#body.bytes(w.finish());
    this.#count++;
  }

  /** The message, and the page is empty again. */
  finish(token: number, page: number, last: boolean, holdings: WireHash): Uint8Array {
    beginMessage(writer, "syncSummary");
    writer.u8(1);
    writer.varint(token);
    writer.varint(page);
    writer.u8(last ? 1 : 0);
    writeHash(writer, holdings);
    writer.varint(this.#count);
    writer.raw(this.#body.finish());
    this.#body.reset();
    this.#count = 0;
    return writer.finish();
  }
}

export function encodeRequest(id: number, maxBytes: number, wants: readonly Want[]): Uint8Array {
  beginMessage(writer, "syncRequest");
  writer.varint(id);
  writer.varint(maxBytes);
  writeWants(writer, wants);
  return writer.finish();
}

/** Such chunks travel in a kind of their own. */
export function hasSeals(chunks: readonly Chunk[]): boolean {
  return chunks.some(({ seal }) => seal !== undefined);
}

export function encodeChunks(id: number, chunks: readonly Chunk[]): Uint8Array {
  const sealed = hasSeals(chunks);
  beginMessage(writer, sealed ? "sealedChunks" : "syncChunks");
  writer.varint(id);
  writer.varint(chunks.length);
  for (const chunk of chunks) {
    writeChunk(writer, chunk);
    if (sealed) writer.bytes(chunk.seal ?? noSeal);
  }
  return writer.finish();
}

export function encodeDone(
  id: number,
  failed: boolean,
  overwritten: readonly VersionRange[],
  rest: readonly Want[],
): Uint8Array {
  beginMessage(writer, "syncDone");
  writer.varint(id);
  writer.u8(failed ? 1 : 0);
  writer.varint(overwritten.length);
  for (const { actor, from, to } of overwritten) {
    writer.id(actor);
    writer.varint(from);
    writer.varint(to - from);
  }
  writeWants(writer, rest);
  return writer.finish();
}

function writeWants(w: Writer, wants: readonly Want[]): void {
  w.varint(wants.length);
  for (const { actor, from, to, chunks } of wants) {
    w.id(actor);
    w.varint(from);
    w.varint(to - from);
    writeRanges(w, chunks ?? [], 0);
  }
}

/** Ascending, disjoint ranges as differences: distance from the end of the one before, length − 1. */
function writeRanges(w: Writer, ranges: readonly Interval[], lowest: number): void {
  w.varint(ranges.length);
  let next = lowest;
  for (const [from, to] of ranges) {
    w.varint(from - next);
    w.varint(to - from);
    next = to + 1;
  }
}

function readRanges(r: Reader, lowest: number, bound: number): Interval[] {
  const count = r.count(2, maxRangesPerEntry);
  const ranges: Interval[] = [];
  let next = lowest;
  for (let i = 0; i < count; i++) {
    const from = next + r.varint();
    const to = from + r.varint();
    if (to > bound) throw new WireError("range past its bound");
    ranges.push([from, to]);
    next = to + 1;
  }
  return ranges;
}

function readVersion(r: Reader): number {
  const version = r.varint();
  if (version < 1 || version > versionBound) throw new WireError("version past its bound");
  return version;
}

function readWants(r: Reader): Want[] {
  // An id, from, length and a count of chunk ranges.
  const count = r.count(19, maxWants);
  const wants: Want[] = [];
  for (let i = 0; i < count; i++) {
    const actor = r.id() as ActorId;
    const from = readVersion(r);
    const to = from + r.varint();
    if (to > versionBound) throw new WireError("version past its bound");
    const chunks = readRanges(r, 0, maxChunksPerVersion - 1);
    if (chunks.length === 0) wants.push({ actor, from, to });
    else if (from === to) wants.push({ actor, from, to, chunks });
    else throw new WireError("chunks of several versions");
  }
  return wants;
}

function readSummary(r: Reader): SyncMessage {
  const part = r.u8();
  const token = r.varint();
  if (part === 0) {
    const holdings = readHash(r);
    const bits = r.u8();
    if (bits > maxBucketBits) throw new WireError("too many buckets");
    const buckets = new Int32Array(2 << bits);
    for (let i = 0; i < buckets.length; i++) buckets[i] = r.u32();
    return { type: "ask", token, holdings, buckets };
  }
  if (part !== 1) throw new WireError("neither ask nor tell");
  const page = r.varint();
  const last = r.u8() !== 0;
  const holdings = readHash(r);
  // A length, an id and two counts.
  const count = r.count(19, maxEntriesPerPage);
  const entries: HoldingsEntry[] = [];
  for (let i = 0; i < count; i++) {
    const outer = r.enter(r.remaining);
    entries.push(readEntry(r));
    r.leave(outer);
  }
  return { type: "tell", token, page, last, holdings, entries };
}

function readEntry(r: Reader): HoldingsEntry {
  const actor = r.id() as ActorId;
  const held = readRanges(r, 1, versionBound);
  const count = r.count(3, maxRangesPerEntry);
  const partial: { version: number; count: number; have: Interval[] }[] = [];
  for (let i = 0; i < count; i++) {
    const version = readVersion(r);
    const chunks = r.varint();
    if (chunks < 1 || chunks > maxChunksPerVersion) throw new WireError("count of chunks");
    partial.push({ version, count: chunks, have: readRanges(r, 0, chunks - 1) });
  }
  return { actor, held, partial };
}

function readChunks(r: Reader, read: (r: Reader) => Chunk): SyncMessage {
  const id = r.varint();
  // An id, three varints, a stamp and a payload length.
  const count = r.count(28, maxChunksPerVersion);
  const chunks: Chunk[] = [];
  for (let i = 0; i < count; i++) chunks.push(read(r));
  return { type: "chunks", id, chunks };
}

function readDone(r: Reader): SyncMessage {
  const id = r.varint();
  const failed = r.u8() !== 0;
  const count = r.count(18, maxOverwrittenRanges);
  const overwritten: VersionRange[] = [];
  for (let i = 0; i < count; i++) {
    const actor = r.id() as ActorId;
    const from = readVersion(r);
    const to = from + r.varint();
    if (to > versionBound) throw new WireError("version past its bound");
    overwritten.push({ actor, from, to });
  }
  return { type: "done", id, failed, overwritten, rest: readWants(r) };
}

export const syncDecoders: DecoderTable<SyncMessage> = decoderTable<SyncMessage>({
  syncDigest: (r) => {
    const flags = r.u8();
    const holdings = readHash(r);
    const state = readHash(r);
    const schema = readHash(r);
    const quarantined = (flags & 2) !== 0;
    const [reply, news] = [(flags & 1) !== 0, (flags & 4) !== 0];
    return { type: "digest", holdings, state, schema, quarantined, reply, news };
  },
  syncSummary: readSummary,
  syncRequest: (r) => ({
    type: "request",
    id: r.varint(),
    maxBytes: r.varint(),
    wants: readWants(r),
  }),
  syncChunks: (r) => readChunks(r, readChunk),
  sealedChunks: (r) => readChunks(r, (from) => readSeal(from, readChunk(from))),
  syncDone: readDone,
  ...repairDecoders,
});

/** Longest message of this plane. */
export const maxSyncBytes = maxFrameBytes;
