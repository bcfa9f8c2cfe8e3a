/** A QUIC connection to a node in a test's own hands, packet by packet. */
import { createSocket } from "node:dgram";
import { native } from "@matrixai/quic";
import type { Credentials } from "../../../runtime/net/credentials.ts";
import {
  makeConfig,
  setPacketBytes,
  type QuicheConnection,
} from "../../../runtime/net/quic/quic-config.ts";

const { quiche } = native;

export interface RawMember {
  readonly connection: QuicheConnection;
  /** The packets that it has sent. */
  readonly sent: Buffer[];
  /** Whether it loses what comes. */
  losing: boolean;
  lost: number;
  flush(): void;
  /** Sends a packet as it is. */
  send(packet: Buffer): void;
  /** What has come on a stream since. */
  read(stream: number): string;
  close(): void;
}

export async function rawMember(
  port: number,
  how: {
    readonly credentials: Credentials;
    readonly packetBytes: number;
    readonly id: Uint8Array;
    /** How long each packet to it takes until the handshake is complete. */
    readonly handshakeDelayMs: number;
  },
): Promise<RawMember> {
  const config = makeConfig(how.credentials);
  setPacketBytes(config, how.packetBytes, how.packetBytes);
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", resolve);
  });
  const from = { host: "127.0.0.1", port: socket.address().port };
  const to = { host: "127.0.0.1", port };
  const connection = quiche.Connection.connect(null, how.id, from, to, config);
  const buffer = Buffer.alloc(20_000);
  let closed = false;
  const member: RawMember = {
    connection,
    sent: [],
    losing: false,
    lost: 0,
    flush() {
      for (let sent = connection.send(buffer); sent !== null; sent = connection.send(buffer)) {
        const packet = Buffer.from(buffer.subarray(0, sent[0]));
        member.sent.push(packet);
        member.send(packet);
      }
    },
    send: (packet) => socket.send(packet, port, "127.0.0.1"),
    read(stream) {
      if (!connection.streamReadable(stream)) return "";
      const bytes = Buffer.alloc(1000);
      const [length] = connection.streamRecv(stream, bytes) ?? [0];
      return bytes.toString("latin1", 0, length);
    },
    close() {
      closed = true;
      socket.close();
    },
  };
  socket.on("message", (received) => {
    if (member.losing) {
      member.lost++;
      return;
    }
    const delayMs = connection.isEstablished() ? 0 : how.handshakeDelayMs;
    setTimeout(() => {
      if (closed) return;
      connection.recv(received, { from: to, to: from });
      member.flush();
    }, delayMs);
  });
  member.flush();
  return member;
}
