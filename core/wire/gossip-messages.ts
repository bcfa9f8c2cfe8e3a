/**
 * Messages of the broadcast plane (Plumtree: Leitão, Pereira, Rodrigues, SRDS 2007).
 * A push is a hop count, a byte of flags, a chunk and, where a flag says so, its seal, in this
 * order, so that whoever passes it on copies the bytes and patches the hop count, and a duplicate
 * is told by the bytes before the payload alone.
 */
import type { ActorId } from "../base/ids.ts";
import { Slab } from "../base/slab.ts";
import type { Chunk } from "../node/store.ts";
import { readChunk, readSeal, writeChunk } from "./chunk.ts";
import { beginMessage, type DecoderTable, decoderTable, envelopeBytes } from "./envelope.ts";
import { maxChunksPerVersion, maxFrameBytes } from "./limits.ts";
import { Reader } from "./reader.ts";
import { cachedId } from "./short-text.ts";
import { WireError } from "./wire-error.ts";
import { Writer } from "./writer.ts";

/** Names one message of the broadcast: a chunk of a version. */
export interface ChunkRef {
  readonly actor: ActorId;
  readonly version: number;
  readonly index: number;
  readonly count: number;
}

/** A chunk that the sender has. */
export interface Announcement extends ChunkRef {
  /** For how many milliseconds it has had it: a push would have been that much earlier than this message. */
  readonly ageMs: number;
}

export type GossipMessage =
  | { readonly type: "push"; readonly hops: number; readonly chunk: Chunk }
  | { readonly type: "ihave"; readonly have: readonly Announcement[] }
  /** `refs` are asked for; the link becomes eager in any case. */
  | { readonly type: "graft"; readonly refs: readonly ChunkRef[] }
  /** The link becomes lazy. */
  | { readonly type: "prune" };

/** The hop count of a copy that its author sends ahead of the tree: it came over no link of the tree. */
export const expressHops = 0;

/** A hop count past this is written as this. */
export const maxHops = 255;

/** A longer age is written as this. */
export const maxAgeMs = 0xffff;

/** References in one ihave or graft; more go into further messages. */
export const maxRefs = 1024;

/** Flag of a push: a seal follows the chunk. */
const sealed = 1;
/** Flag of a push, on every copy: some went ahead of the tree, so that duplicates prove nothing. */
const ahead = 2;

/** Where in a push its hop count stands. */
export const hopsAt = envelopeBytes;
const flagsAt = envelopeBytes + 1;
const chunkAt = envelopeBytes + 2;
/** An id and three varints of one byte. */
const minRefBytes = 19;

const writer = new Writer(4096);
/** Pushes live as long as whoever asks again may be answered, so they share slabs among themselves only. */
const pushes = new Slab(64 * 1024);

export function encodePush(chunk: Chunk, hops: number): Uint8Array {
  beginMessage(writer, "push");
  writer.u8(Math.min(hops, maxHops));
  writer.u8(chunk.seal === undefined ? 0 : sealed);
  writeChunk(writer, chunk);
  if (chunk.seal !== undefined) writer.bytes(chunk.seal);
  return writer.finish(pushes);
}

/** A push with another hop count; all other bytes, known or not, go on unchanged. */
export function copyPush(push: Uint8Array, hops: number): Uint8Array {
  const copy = pushes.copy(push, 0, push.length);
  copy[hopsAt] = Math.min(hops, maxHops);
  return copy;
}

/** Copies of this push, which nobody has yet, will go ahead of the tree. */
export function markAhead(push: Uint8Array): void {
  push[flagsAt] = (push[flagsAt] as number) | ahead;
}

/** Did copies of this push go ahead of the tree? */
export function wentAhead(push: Uint8Array): boolean {
  return ((push[flagsAt] as number) & ahead) !== 0;
}

/** @param atMs when each of `have` came, in the time of `nowMs`. */
export function encodeIhave(
  nowMs: number,
  have: readonly (ChunkRef & { readonly atMs: number })[],
): Uint8Array {
  beginMessage(writer, "ihave");
  writer.varint(have.length);
  for (const ref of have) {
    writeRef(ref);
    writer.u16(Math.min(Math.max(0, Math.round(nowMs - ref.atMs)), maxAgeMs));
  }
  return writer.finish();
}

export function encodeGraft(refs: readonly ChunkRef[]): Uint8Array {
  beginMessage(writer, "graft");
  writer.varint(refs.length);
  for (const ref of refs) writeRef(ref);
  return writer.finish();
}

export function encodePrune(): Uint8Array {
  beginMessage(writer, "prune");
  return writer.finish();
}

function writeRef(ref: ChunkRef): void {
  writer.id(ref.actor);
  writer.varint(ref.version);
  writer.varint(ref.index);
  writer.varint(ref.count);
}

/** @throws WireError */
function readRef(r: Reader): ChunkRef {
  const actor = r.id() as ActorId;
  const version = r.varint();
  const index = r.varint();
  const count = r.varint();
  checkRef(version, index, count);
  return { actor, version, index, count };
}

/** @throws WireError */
function readAnnouncement(r: Reader): Announcement {
  const actor = r.id() as ActorId;
  const version = r.varint();
  const index = r.varint();
  const count = r.varint();
  checkRef(version, index, count);
  return { actor, version, index, count, ageMs: r.u16() };
}

/** @throws WireError */
function checkRef(version: number, index: number, count: number): void {
  if (version === 0) throw new WireError("version 0");
  if (count > maxChunksPerVersion) throw new WireError("too many chunks in a version");
  if (index >= count) throw new WireError("chunk index past its count");
}

/** What stands before the payload of a push. Filled anew by each `peekPush`. */
export interface PushHeader {
  hops: number;
  actor: ActorId;
  version: number;
  index: number;
  count: number;
}

const header: PushHeader = { hops: 0, actor: "" as ActorId, version: 0, index: 0, count: 0 };
let peekAt = 0;

/**
 * The header of a push without its payload, in one object used again and again; null when the
 * bytes are no such header (then `decodeMessage` says what is wrong with them).
 */
export function peekPush(bytes: Uint8Array): Readonly<PushHeader> | null {
  if (bytes.length < chunkAt + minRefBytes) return null;
  header.hops = bytes[hopsAt] as number;
  header.actor = cachedId(bytes, chunkAt) as ActorId;
  peekAt = chunkAt + 16;
  header.version = peekVarint(bytes);
  header.index = peekVarint(bytes);
  header.count = peekVarint(bytes);
  if (header.version < 1 || header.index < 0 || header.count <= header.index) return null;
  return header;
}

/** −1 when there is none. */
function peekVarint(bytes: Uint8Array): number {
  let value = 0;
  let scale = 1;
  while (peekAt < bytes.length) {
    const byte = bytes[peekAt++] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : -1;
    scale *= 128;
    if (scale > 2 ** 49) return -1;
  }
  return -1;
}

export const gossipDecoders: DecoderTable<GossipMessage> = decoderTable<GossipMessage>({
  push: (r) => {
    const hops = r.u8();
    const flags = r.u8();
    const chunk = readChunk(r);
    return { type: "push", hops, chunk: (flags & sealed) === 0 ? chunk : readSeal(r, chunk) };
  },
  ihave: (r) => {
    const count = r.count(minRefBytes + 2, maxRefs);
    const have: Announcement[] = [];
    // Room for all at once, and no more: the count was checked against the bytes.
    have.length = count;
    for (let i = 0; i < count; i++) have[i] = readAnnouncement(r);
    return { type: "ihave", have };
  },
  graft: (r) => {
    const count = r.count(minRefBytes, maxRefs);
    const refs: ChunkRef[] = [];
    for (let i = 0; i < count; i++) refs.push(readRef(r));
    return { type: "graft", refs };
  },
  prune: () => ({ type: "prune" }),
});

/** Longest message of this plane. */
export const maxGossipBytes = maxFrameBytes;
