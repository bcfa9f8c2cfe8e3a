/** How quiche is set up: mutual TLS 1.3 with Ed25519, and bounds on what a peer may make us keep. */
import { Buffer } from "node:buffer";
import { native } from "@matrixai/quic";
import type { Credentials } from "../credentials.ts";
import { idleMs } from "../limits.ts";
import { maxPacketBytes } from "./packets.ts";

export type QuicheConfig = ReturnType<typeof native.quiche.Config.withBoringSslCtx>;
export type QuicheConnection = ReturnType<typeof native.quiche.Connection.connect>;

/** The protocol's name in the TLS handshake (ALPN). */
export const protocolName = "patina/1";

/** Bytes under way on one lane, and on all: what a receiver keeps at the most before it reads. */
const laneWindowBytes = 4 * 1024 * 1024;
const connectionWindowBytes = 12 * 1024 * 1024;

/** What acknowledgements may wait at the other side (`ack-delay.ts`), and what its loop may be late. */
const maxAckDelayMs = 40;

/** Datagrams that wait in one direction; more are lost, as datagrams may be. */
const datagramQueue = 512;

/** The lanes that a side may open: control, host and sync are shared, swim and gossip are each side's own. */
const sharedLanes = 3;
const ownLanes = 2;

/** @throws Error when BoringSSL does not take the certificates. */
export function makeConfig(credentials: Credentials): QuicheConfig {
  const { ca, cert, key } = credentials.tls;
  const config = native.quiche.Config.withBoringSslCtx(
    true,
    false,
    Buffer.from(ca),
    [Buffer.from(key)],
    [Buffer.from(cert)],
    "ed25519",
  );
  config.setApplicationProtos([protocolName]);
  config.grease(false);
  // The session ends an idle connection in good order before this.
  config.setMaxIdleTimeout(idleMs + 60_000);
  config.setMaxAckDelay(maxAckDelayMs);
  config.setInitialMaxData(connectionWindowBytes);
  config.setInitialMaxStreamDataBidiLocal(laneWindowBytes);
  config.setInitialMaxStreamDataBidiRemote(laneWindowBytes);
  config.setInitialMaxStreamDataUni(laneWindowBytes);
  config.setMaxConnectionWindow(connectionWindowBytes);
  config.setMaxStreamWindow(laneWindowBytes);
  config.setInitialMaxStreamsBidi(sharedLanes);
  config.setInitialMaxStreamsUni(ownLanes);
  config.enableDgram(true, datagramQueue, datagramQueue);
  config.setDisableActiveMigration(true);
  setPacketBytes(config, maxPacketBytes, maxPacketBytes);
  return config;
}

/**
 * Both sides keep to the smaller of what one sends and the other takes: who dials knows the path. What
 * a side sends must not be set longer than will be agreed; why, `connection-id.ts` tells.
 */
export function setPacketBytes(config: QuicheConfig, sent: number, taken: number): void {
  config.setMaxSendUdpPayloadSize(sent);
  config.setMaxRecvUdpPayloadSize(taken);
}
