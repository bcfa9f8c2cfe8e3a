/**
 * Seals: an author's Ed25519 signature (RFC 8032) of each chunk that it makes, over everything that
 * tells the chunk: cluster, author, version, place, stamp and payload. A seal also names the chunk
 * that its author made before, by a hash over that one's content and seal. So where many chunks of one
 * author come together, one check of the last signature proves all of them (`seal-check.ts`); each
 * still stands on its own.
 *
 * Bytes of a seal: format (1), id of the key (8), link to the chunk before or zeros (24), signature (64).
 */
import { createHash, hash, type KeyObject, sign } from "node:crypto";
import type { ActorId } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";

const format = 1;
const keyIdBytes = 8;
const linkBytes = 24;
const signatureBytes = 64;
const keyIdAt = 1;
const linkAt = keyIdAt + keyIdBytes;
const signatureAt = linkAt + linkBytes;

export const sealBytes = signatureAt + signatureBytes;

/** What is signed begins with words that no other signature with this key begins with. */
const signedPrefix = Buffer.from("patina seal\0", "latin1");
const digestBytes = 32;

/** Words, cluster, link, actor, version, index, count, stamp. */
const headerBytes = 16 + 4 + linkBytes + 16 + 8 + 4 + 4 + 8;
/** Payloads up to this are hashed in one call together with the header. */
const oneCallBytes = 64 * 1024;

/** A longer payload is hashed in slices of this: a millisecond where the processor has no instructions for it. */
export const sliceBytes = 512 * 1024;

const scratch = Buffer.alloc(headerBytes + oneCallBytes);
scratch.write("patina version 1", 0, "latin1");
const noLink = Buffer.alloc(linkBytes);

export interface Seal {
  /** 16 hex digits. */
  readonly keyId: string;
  readonly link: Buffer;
  readonly signature: Buffer;
}

/** Null when the bytes are no seal of a format known here. */
export function parseSeal(bytes: Uint8Array): Seal | null {
  if (bytes.length !== sealBytes || bytes[0] !== format) return null;
  const seal = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    keyId: seal.toString("hex", keyIdAt, linkAt),
    link: seal.subarray(linkAt, signatureAt),
    signature: seal.subarray(signatureAt),
  };
}

/** SHA-256 over everything that a seal vouches for. */
export function chunkDigest(clusterId: number, link: Uint8Array, chunk: Chunk): Buffer {
  const at = writeHeader(clusterId, link, chunk);
  const { payload } = chunk;
  if (payload.length > oneCallBytes) {
    return createHash("sha256").update(scratch.subarray(0, at)).update(payload).digest();
  }
  scratch.set(payload, at);
  return hash("sha256", scratch.subarray(0, at + payload.length), "buffer");
}

/**
 * The same for a long payload, which is hashed slice by slice.
 * @param giveWay is waited for between two slices.
 */
export async function longChunkDigest(
  clusterId: number,
  link: Uint8Array,
  chunk: Chunk,
  giveWay: () => Promise<void>,
): Promise<Buffer> {
  const sum = createHash("sha256").update(scratch.subarray(0, writeHeader(clusterId, link, chunk)));
  const { payload } = chunk;
  for (let at = 0; at < payload.length; at += sliceBytes) {
    if (at > 0) await giveWay();
    sum.update(payload.subarray(at, at + sliceBytes));
  }
  return sum.digest();
}

/** Into `scratch`. @returns how long it is. */
function writeHeader(clusterId: number, link: Uint8Array, chunk: Chunk): number {
  let at = 16;
  at = scratch.writeUInt32BE(clusterId, at);
  scratch.set(link, at);
  at += linkBytes;
  at += scratch.write(chunk.actor, at, "hex");
  at = scratch.writeBigUInt64BE(BigInt(chunk.version), at);
  at = scratch.writeUInt32BE(chunk.index, at);
  at = scratch.writeUInt32BE(chunk.count, at);
  at = scratch.writeUIntBE(chunk.hlc.ms, at, 6);
  return scratch.writeUInt16BE(chunk.hlc.counter, at);
}

/** Names a chunk together with its seal; the next chunk's link is this. 24 characters of latin1. */
export function chunkMark(digest: Uint8Array, seal: Uint8Array): string {
  return markBytes(digest, seal).toString("latin1");
}

const markScratch = Buffer.alloc(digestBytes + sealBytes);

function markBytes(digest: Uint8Array, seal: Uint8Array): Buffer {
  markScratch.set(digest, 0);
  markScratch.set(seal, digestBytes);
  return hash("sha256", markScratch, "buffer").subarray(0, linkBytes);
}

/** The bytes under the signature. */
export function signedBytes(digest: Uint8Array): Buffer {
  return Buffer.concat([signedPrefix, digest]);
}

/** Distinguishes keys and the actors that they sign for. */
export function keyIdOf(publicKey: KeyObject, actor: ActorId): Buffer {
  return createHash("sha256")
    .update("patina key\0")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .update(Buffer.from(actor, "hex"))
    .digest()
    .subarray(0, keyIdBytes);
}

/** Seals what one node writes. The links begin anew with each signer, which costs others one check. */
export class Signer {
  readonly #clusterId: number;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyIds = new Map<ActorId, Buffer>();
  #link: Buffer = noLink;

  /** @param keys of Ed25519. */
  constructor(
    clusterId: number,
    keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  ) {
    this.#clusterId = clusterId;
    this.#privateKey = keys.privateKey;
    this.#publicKey = keys.publicKey;
  }

  seal(chunk: Chunk): Uint8Array {
    const digest = chunkDigest(this.#clusterId, this.#link, chunk);
    const seal = Buffer.alloc(sealBytes);
    seal[0] = format;
    seal.set(this.#keyId(chunk.actor), keyIdAt);
    seal.set(this.#link, linkAt);
    seal.set(sign(null, signedBytes(digest), this.#privateKey), signatureAt);
    this.#link = markBytes(digest, seal);
    return new Uint8Array(seal.buffer, seal.byteOffset, seal.byteLength);
  }

  #keyId(actor: ActorId): Buffer {
    let id = this.#keyIds.get(actor);
    if (id === undefined) {
      id = keyIdOf(this.#publicKey, actor);
      this.#keyIds.set(actor, id);
    }
    return id;
  }
}
