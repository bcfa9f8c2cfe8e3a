/**
 * A pipe is one connection as its carrier (QUIC, TLS, plain TCP) made it: five ordered lanes of
 * bytes in both directions, and datagrams. What the bytes mean is the session's business.
 */
import type { X509Certificate } from "node:crypto";
import type { Channel } from "./transport.ts";

/** The control lane carries what sessions say to each other; the others a channel each. */
export const controlLane = 0;
export const channels: readonly Channel[] = ["swim", "gossip", "host", "sync"];
export const laneCount = channels.length + 1;

export function laneOf(channel: Channel): number {
  return channels.indexOf(channel) + 1;
}

export type PipeKind = "quic" | "tcp" | "plaintext";

export interface Pipe {
  readonly kind: PipeKind;
  /** "host:port" as seen. */
  readonly remote: string;
  /** Whether this side began it. */
  readonly dialled: boolean;
  /** The other side's, of whose key it has proof. Null in plaintext. */
  readonly certificate: X509Certificate | null;
  /** The longest datagram that passes at present. */
  readonly maxDatagramBytes: number;
  /** Null until measured, or where the carrier cannot tell. */
  readonly rttMs: number | null;
  /** When something was last heard that the other side must have sent, by `performance.now()`. */
  readonly heardMs: number;
  /** Bytes taken that have not left yet. */
  readonly bufferedBytes: number;
  /** How many bytes a lane takes now. */
  capacity(lane: number): number;
  /** At most `capacity(lane)` bytes; they are copied. */
  write(lane: number, bytes: Uint8Array): void;
  /** @returns whether it was taken; it may still be lost. */
  datagram(bytes: Uint8Array): boolean;
  /** Asks for `writable` soon. */
  wake(): void;
  /** What the other side needs to tell us of its restart; see `stateless-reset.ts`. Empty where not needed. */
  readonly resetToken: Uint8Array;
  expectReset(token: Uint8Array): void;
  /** Ends it and tells the other side; what has not arrived is lost. No event follows. */
  close(code: CloseCode, reason: string): void;
}

export interface PipeEvents {
  /** The handshake is complete: lanes may be written. */
  opened(): void;
  /** `bytes` are valid during the call only. */
  data(lane: number, bytes: Uint8Array): void;
  /** `bytes` belong to the receiver. */
  datagramReceived(bytes: Uint8Array): void;
  /** More can be written, or `wake` was called. */
  writable(): void;
  /** The last event: the other side closed it (`code`), or it broke (null). */
  closed(code: number | null, reason: string): void;
}

/** What the side that closes says by it. */
export const closeCodes = {
  /** Everything arrived on both sides. */
  done: 0,
  /** It was turned away, or broke a rule. */
  refused: 1,
  /** It stopped answering, or its turn is over. */
  broken: 2,
  /** Another connection between the two is used instead. */
  duplicate: 3,
  /** The node stops. */
  going: 4,
} as const;

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/** Makes pipes: listens at one address, and dials. */
export interface Carrier {
  readonly kind: PipeKind;
  readonly port: number;
  /** Bytes sent and received, as they stand in packets or on the socket. */
  readonly traffic: Traffic;
  /** Begins a connection. Events begin after the call has returned. */
  dial(ip: string, port: number, events: PipeEvents): Pipe;
  /** Called every second: for what has no event of its own. */
  look(): void;
  close(): Promise<void>;
}

export interface Traffic {
  bytesSent: number;
  bytesReceived: number;
}

/** What a carrier asks of its owner. */
export interface CarrierOwner {
  /** A stranger has passed the carrier's handshake: who takes its pipe? Null: nobody, it is closed. */
  accepted(pipe: Pipe): PipeEvents | null;
  /** Something that is no connection, or failed to become one. */
  rejected(from: string, why: string): void;
  /**
   * A packet of a connection that is not there: peers send some whenever a node restarts or a connection
   * ends. Counted, and told to nobody: it does not say who sent it.
   */
  stray(): void;
  /** A handshake failed at the door of this node. */
  handshakeRefused(from: string, why: string): void;
  /** What was read before is not dealt with yet: messages have time. */
  readonly behind: boolean;
}
