/**
 * Who a member is. Membership is keyed by address; an identity is (epoch, node id), and at one
 * address the larger one holds. A node that restarts takes a higher epoch, so that it beats
 * whatever is still said about its older self.
 */
import { type ActorId, type Address, compareIds, type NodeId } from "../base/ids.ts";
import { maxAddressBytes } from "../wire/limits.ts";
import { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";

export interface Identity {
  readonly address: Address;
  readonly nodeId: NodeId;
  /** Safe integer below `epochCeiling`; grows with every start and renewal. */
  readonly epoch: number;
  readonly actor: ActorId;
  /** For people; at most 63 bytes of UTF-8. */
  readonly name: string;
  readonly region: string;
}

/** Room above it lets every honest node renew; a claim past it is taken as damage. */
export const epochCeiling = 2 ** 52;

/** Past it a node renews its epoch and counts from 0 again. A claim past it is taken as damage. */
export const incarnationCeiling = 0xffff_fff0;

export const maxNameLength = 63;

/** Both ids, the epoch, address and labels with their lengths. */
export const maxIdentityBytes = 16 + 16 + 8 + (2 + maxAddressBytes) + 2 * (1 + maxNameLength);

/** Positive when `a` holds an address against `b`. Equal only for the same epoch and node. */
export function compareIdentity(a: Identity, b: Identity): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  return compareIds(a.nodeId, b.nodeId);
}

export function writeIdentity(w: Writer, identity: Identity): void {
  w.varint(identity.epoch);
  w.id(identity.nodeId);
  w.id(identity.actor);
  w.string(identity.address);
  w.string(identity.name);
  w.string(identity.region);
}

/** @throws WireError */
export function readIdentity(bytes: Uint8Array): Identity {
  const r = new Reader(bytes);
  const epoch = r.varint();
  if (epoch >= epochCeiling) throw new WireError("epoch past its ceiling");
  const nodeId = r.id() as NodeId;
  const actor = r.id() as ActorId;
  const address = r.string(maxAddressBytes) as Address;
  if (address.length === 0) throw new WireError("empty address");
  const name = r.string(maxNameLength);
  const region = r.string(maxNameLength);
  return { address, nodeId, epoch, actor, name, region };
}

/**
 * 48 bits that stand for an identity on the wire: 32 (`lo`) in headers, where the address says
 * the rest, all in rumors. Two lanes of MurmurHash3's mixing over the encoded identity; at 10,000
 * members two share all 48 bits once in some five million clusters.
 */
export interface Tag {
  hi: number;
  lo: number;
}

export function tagOf(bytes: Uint8Array, into: Tag): void {
  let a = 0x243f6a88 ^ bytes.length;
  let b = 0x85a308d3 ^ bytes.length;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    a = Math.imul(a ^ byte, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ byte, 0x1b873593);
    b = (b << 13) | (b >>> 19);
  }
  into.lo = mix32(a);
  into.hi = mix32(b ^ a) & 0xffff;
}

/** MurmurHash3's finalizer: every input bit moves every output bit. */
export function mix32(n: number): number {
  let h = n;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
