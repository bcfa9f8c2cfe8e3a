import type { Plane } from "../../core/node/event.ts";

/** Planes by number, and back. */
export const planes: readonly Plane[] = ["swim", "gossip", "sync"];
export const planeIndex: Readonly<Record<Plane, number>> = { swim: 0, gossip: 1, sync: 2 };

/** One message on its way. A duplicate is the same packet arriving twice. */
export class Packet {
  /** Unique in the run. */
  readonly m: number;
  readonly from: number;
  readonly to: number;
  /** Index into `planes`. */
  readonly plane: number;
  readonly reliable: boolean;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly sentUs: number;
  /** The sender's boot, and the receiver's (−1: it was down). */
  readonly fromBoot: number;
  readonly toBoot: number;
  /** A reliable message's link (−1: none), and which of its connections carries it; a broken one loses all that it carried. */
  link = -1;
  generation = 0;
  /** It needed the sender's help after its first try. */
  retransmitted = false;
  /** Bits were flipped on the way. */
  corrupt = false;

  constructor(
    m: number,
    from: number,
    to: number,
    plane: number,
    reliable: boolean,
    kind: string,
    bytes: Uint8Array,
    sentUs: number,
    fromBoot: number,
    toBoot: number,
  ) {
    this.m = m;
    this.from = from;
    this.to = to;
    this.plane = plane;
    this.reliable = reliable;
    this.kind = kind;
    this.bytes = bytes;
    this.sentUs = sentUs;
    this.fromBoot = fromBoot;
    this.toBoot = toBoot;
  }
}

export type DropReason = "loss" | "partition" | "cut" | "dead" | "corrupt" | "overflow";
