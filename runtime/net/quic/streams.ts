/** The lanes of a pipe on QUIC's streams, and reading from them. */
import { Buffer } from "node:buffer";
import type { QuicheConnection } from "./quic-config.ts";

/** QUIC stream ids by lane: bit 0 says who opened it, bit 1 that it carries bytes in one direction. */
export const ownLanes = { dialled: [0, 2, 6, 4, 8], accepted: [0, 3, 7, 4, 8] } as const;

export const streamReadBuffer = Buffer.allocUnsafe(256 * 1024);

export function nextDatagram(connection: QuicheConnection): Uint8Array | null {
  try {
    return connection.dgramRecvVec();
  } catch {
    return null;
  }
}

/** Into `streamReadBuffer`, no more than `most` bytes. Null: nothing more for now. */
export function readPart(
  connection: QuicheConnection,
  stream: number,
  most: number,
): [bytes: number, end: boolean] | "broken" | null {
  const whole = most >= streamReadBuffer.length;
  const room = whole ? streamReadBuffer : streamReadBuffer.subarray(0, most);
  try {
    return connection.streamRecv(stream, room);
  } catch {
    return "broken";
  }
}
