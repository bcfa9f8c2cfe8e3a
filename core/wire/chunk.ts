/** A chunk of a version on the wire: who and which, its stamp, and the payload as its author made it. */
import type { ActorId } from "../base/ids.ts";
import { inHeapBytes, Slab } from "../base/slab.ts";
import type { Hlc } from "../clock/hlc.ts";
import type { Chunk } from "../node/store.ts";
import { maxChunksPerVersion, maxPayloadBytes, maxSealBytes } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

/** 48 bits of milliseconds and 16 of counter: 8 bytes, whose order is the order of the stamps. */
export function writeHlc(w: Writer, stamp: Hlc): void {
  w.u16(Math.floor(stamp.ms / 0x1_0000_0000));
  w.u32(stamp.ms % 0x1_0000_0000);
  w.u16(stamp.counter);
}

/** @throws WireError */
export function readHlc(r: Reader): Hlc {
  const high = r.u16();
  const ms = high * 0x1_0000_0000 + r.u32();
  return { ms, counter: r.u16() };
}

/** Bytes around the payload, at the most: id 16, three varints, stamp 8, payload length. */
export const maxChunkHeaderBytes = 16 + 8 + 3 + 3 + 8 + 4;

export function writeChunk(w: Writer, chunk: Chunk): void {
  w.id(chunk.actor);
  w.varint(chunk.version);
  w.varint(chunk.index);
  w.varint(chunk.count);
  writeHlc(w, chunk.hlc);
  w.bytes(chunk.payload);
}

/** Payloads live as long as a store keeps their versions; in slabs of their own they hold no messages alive. */
const payloads = new Slab(16 * 1024);

/** @throws WireError */
export function readChunk(r: Reader): Chunk {
  const actor = r.id() as ActorId;
  const version = r.varint();
  if (version === 0) throw new WireError("version 0");
  const index = r.varint();
  const count = r.varint();
  if (count > maxChunksPerVersion) throw new WireError("too many chunks in a version");
  if (index >= count) throw new WireError("chunk index past its count");
  const hlc = readHlc(r);
  return { actor, version, index, count, hlc, payload: ownPayload(r.bytes(maxPayloadBytes)) };
}

/** Seals are kept as payloads are. */
const seals = new Slab(16 * 1024);

/** The same chunk with the seal that follows it; none when it is empty. @throws WireError */
export function readSeal(r: Reader, chunk: Chunk): Chunk {
  const seal = r.bytes(maxSealBytes);
  return seal.length === 0 ? chunk : { ...chunk, seal: seals.copy(seal, 0, seal.length) };
}

/** What a chunk takes on the wire at the most. */
export function chunkSize({ payload, seal }: Chunk): number {
  return payload.length + maxChunkHeaderBytes + (seal === undefined ? 0 : seal.length + 1);
}

/** A payload that makes up most of the buffer that it views may as well keep it; others are copied out. */
function ownPayload(payload: Uint8Array): Uint8Array {
  const size = payload.length;
  if (size <= inHeapBytes || size * 2 >= payload.buffer.byteLength) return payload;
  return payloads.copy(payload, 0, size);
}
