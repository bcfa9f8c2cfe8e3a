/**
 * The Transport port: how messages get from node to node. One contract suite
 * (`test/contract/transport-contract.ts`) runs on each implementation: QUIC, TLS over TCP, plaintext
 * on loopback, and the simulated network.
 *
 * A peer is known by the address that it advertises (`external_addr`), which it says when a
 * connection begins and which its certificate must cover; not by the port that a packet came from.
 */
import type { Address } from "../../core/base/ids.ts";
import type { Plane } from "../../core/node/event.ts";

/** What a message is for: the three planes of the protocol, and what hosts say to each other beside it. */
export type Channel = Plane | "host";

/** Who is at the other end, as far as its certificate proves it. */
export interface Peer {
  /** What it advertises: where it can be dialled. */
  readonly address: Address;
  /** Name in its certificate; null without TLS. */
  readonly name: string | null;
}

export interface TransportEvents {
  /** `bytes` belong to the receiver. */
  message(from: Peer, channel: Channel, bytes: Uint8Array): void;
  /** A reliable message to `to` was not delivered: refused, broken or timed out. Told once a connection and channel. */
  unreachable(to: Address, channel: Channel, why: string): void;
  rtt(peer: Address, rttMs: number): void;
  /** Datagrams of this length are known to pass to every peer that is connected. */
  datagramBytes(bytes: number): void;
  /** Something was turned away at the door: a stranger, garbage, too much of something. `from`: "host:port" as seen. */
  rejected(from: string, why: string): void;
  /**
   * With `auto`: `passes` false when QUIC was tried again for a peer that TCP reached and got no answer,
   * more than once; true when it does after all. Left out: nobody wants to know.
   */
  udp?(to: Address, passes: boolean): void;
  /** The receiver has not dealt with what it was handed: messages wait, datagrams do not. Left out: it always has. */
  behind?(): boolean;
}

export interface TransportStats {
  readonly kind: "quic" | "tcp" | "plaintext";
  readonly connections: number;
  /** Of these, how many go over TCP: with kind `auto`, peers whom UDP does not reach. */
  readonly connectionsOverTcp: number;
  readonly handshakes: number;
  readonly handshakesRefused: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly datagramsDropped: number;
  /** Bytes that wait to be sent, over all peers. */
  readonly queuedBytes: number;
  readonly rejected: number;
}

export interface Transport {
  /** Where it listens, with the port that it got: "127.0.0.1:8787". */
  readonly listening: Address;
  /**
   * Sends to the advertised address `to`; dials when there is no connection. `reliable`: whole, and in
   * the order of this channel, or `unreachable` is told; otherwise one datagram that may be lost.
   * Never throws for what the network does. Past the bound of a peer's queue the message is dropped
   * and `unreachable` is told.
   */
  send(to: Address, channel: Channel, reliable: boolean, bytes: Uint8Array): void;
  /** Bytes that wait for this peer: back-pressure for whoever makes more of them. */
  queuedBytes(to: Address): number;
  /** Puts new certificates in force for connections begun from now on; those in use live on. */
  rotate(tls: TransportTls): void;
  stats(): TransportStats;
  /** Tells peers that it goes, sends what waits for at most `graceMs`, and frees the port. */
  close(graceMs: number): Promise<void>;
}

/** PEM texts. */
export interface TransportTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** `auto`: QUIC, and TCP to those whom UDP does not reach. */
export type TransportKind = "auto" | "quic" | "tcp";

export interface TransportOptions {
  /** "host:port"; port 0 takes a free one. */
  readonly listen: string;
  /** What peers dial; `listening` where left out. */
  readonly advertise?: Address;
  /** Peers of another cluster are turned away. */
  readonly clusterId: number;
  /** Null: plaintext. */
  readonly tls: TransportTls | null;
  /** QUIC packets are never longer, whatever the path seems to carry. */
  readonly maxPacketBytes?: number;
  /** Plaintext beyond this machine's loopback is meant. */
  readonly plaintextAnywhere?: boolean;
  /** Without TLS the only kind is plaintext. */
  readonly kind: TransportKind;
  readonly events: TransportEvents;
  /** With `auto`: told once when there is no QUIC on this machine, and why, so that TCP has to do. */
  readonly withoutQuic?: (why: string) => void;
}
