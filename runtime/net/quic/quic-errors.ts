/** QUIC's and TLS's error codes as a person can read them. */

import { Buffer } from "node:buffer";
import type { QuicheConnection } from "./quic-config.ts";

interface ConnectionError {
  readonly isApp: boolean;
  readonly errorCode: number;
  readonly reason: Uint8Array;
}

/** TLS alerts, which QUIC carries from 0x100 on (RFC 9001, section 4.8; RFC 8446, section 6.2). */
const alerts: Readonly<Partial<Record<number, string>>> = {
  40: "no common cipher or signature",
  42: "the certificate is not valid",
  43: "the certificate is of an unsupported kind",
  44: "the certificate was revoked",
  45: "the certificate has expired or is not valid yet",
  46: "the certificate was not accepted",
  48: "the certificate is not of the cluster's authority",
  51: "the certificate's key could not be proven",
  116: "there is no certificate",
  120: "it does not speak Patina's protocol",
};

/** `whose`: who found the fault; the certificate is the other's. */
export function describeError(error: ConnectionError, whose: "ours" | "theirs"): string {
  const subject = whose === "ours" ? "turned away" : "it turned this node away";
  if (!error.isApp && error.errorCode >= 0x100 && error.errorCode <= 0x1ff) {
    const alert = error.errorCode - 0x100;
    return `${subject}: ${alerts[alert] ?? `TLS alert ${alert}`}`;
  }
  const reason = new TextDecoder().decode(error.reason);
  return `${subject}: ${reason === "" ? `QUIC error ${error.errorCode}` : reason}`;
}

/** How a connection that is over came to its end: the code of the peer's session if that closed it, and why. */
export function endOf(connection: QuicheConnection): [code: number | null, why: string] {
  const theirs = connection.peerError();
  if (theirs?.isApp) return [theirs.errorCode, Buffer.from(theirs.reason).toString()];
  if (theirs !== null) return [null, describeError(theirs, "theirs")];
  const ours = connection.localError();
  if (ours !== null) return [null, describeError(ours, "ours")];
  return [null, connection.isTimedOut() ? "no answer" : "the connection ended"];
}
