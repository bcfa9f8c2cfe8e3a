/** What the whole transport can be asked for: connections, bytes, and what was counted. */
import type { PeerState } from "./peers.ts";
import type { Carrier } from "./pipe.ts";
import type { Tally } from "./tally.ts";
import type { TransportStats } from "./transport.ts";

/** @param carriers in the order of preference */
export function transportStats(
  peers: Iterable<PeerState>,
  carriers: readonly Carrier[],
  tally: Tally,
): TransportStats {
  let connections = 0;
  let connectionsOverTcp = 0;
  let queuedBytes = 0;
  for (const { outbox, session } of peers) {
    queuedBytes += outbox.bytes;
    if (session === null) continue;
    connections++;
    if (session.pipe.kind !== "quic") connectionsOverTcp++;
    queuedBytes += session.pipe.bufferedBytes;
  }
  let bytesSent = 0;
  let bytesReceived = 0;
  for (const { traffic } of carriers) {
    bytesSent += traffic.bytesSent;
    bytesReceived += traffic.bytesReceived;
  }
  const { kind } = carriers[0] as Carrier;
  return {
    kind,
    connections,
    connectionsOverTcp,
    bytesSent,
    bytesReceived,
    queuedBytes,
    ...tally.counts(),
  };
}
