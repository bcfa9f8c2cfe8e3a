/**
 * Connection ids. They are random, but for two bits of the one that a dialling node gives itself:
 * those tell how long its packets will be. The node that is dialled has to set up quiche before it
 * knows anything else of the other side, and quiche must not be set up for longer packets than come
 * to pass: it takes ten of them for what leaves in one go (its send quantum), and as long as that is
 * larger than its congestion window, it takes packets for older than they are. Round trips measured
 * so made it wait still longer for the next, until it took minutes for a millisecond and found no
 * lost packet in that time. (quiche 0.18: `Pacer::send` keeps the time of the packet before for
 * `send quantum / pacing rate`; later versions do not measure by it.)
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { basePacketBytes, connectionIdBytes, maxPacketBytes, wellKnownBytes } from "./packets.ts";

/** By the two bits. A length in between counts as the next shorter one: that costs little. */
const lengths = [basePacketBytes, ...wellKnownBytes, maxPacketBytes] as const;
const hintShift = 6;

/** An id of a node that dials with packets so long. */
export function dialledId(packetBytes: number): Uint8Array {
  const hint = lengths.findLastIndex((bytes) => bytes <= packetBytes);
  const id = randomBytes(connectionIdBytes);
  id[0] = ((id[0] as number) & ((1 << hintShift) - 1)) | (Math.max(hint, 0) << hintShift);
  return id;
}

/** How long the packets will be of whoever gave itself this id; of one that knows no hints, any of them. */
export function hintedBytes(id: Uint8Array): number {
  return lengths[(id[0] ?? 0) >> hintShift] as number;
}

/** An id that tells nothing. */
export function randomId(): Uint8Array {
  return randomBytes(connectionIdBytes);
}

/** A byte a character, so that ids are keys of a map. */
export function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("latin1");
}
