/** QUIC carriers on loopback for tests of what lies below sessions, closed after each test. */
import { afterEach } from "vitest";
import { Credentials } from "../../../runtime/net/credentials.ts";
import type { CarrierOwner, PipeEvents } from "../../../runtime/net/pipe.ts";
import { QuicCarrier } from "../../../runtime/net/quic/quic-carrier.ts";
import { certificates } from "../../contract/transport-nodes.ts";

/** Hears nothing. */
export const silent: PipeEvents = {
  opened() {},
  data() {},
  datagramReceived() {},
  writable() {},
  closed() {},
};

/** Lets nobody in. */
export const refusing: CarrierOwner = {
  accepted: () => null,
  rejected() {},
  stray() {},
  handshakeRefused() {},
  behind: false,
};

/** Of every carrier of this file's tests. */
export const credentials = new Credentials(await certificates(), Date.now());

const open: QuicCarrier[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((carrier) => carrier.close()));
});

/** @param maxPacketBytes as of `TransportOptions`. */
export async function quicCarrier(
  owner: CarrierOwner,
  maxPacketBytes?: number,
): Promise<QuicCarrier> {
  const made = await QuicCarrier.listen("127.0.0.1", 0, owner, credentials, maxPacketBytes);
  open.push(made);
  return made;
}
