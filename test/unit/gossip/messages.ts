/** The messages of the broadcast plane among all that a cluster sent. */
import { decodeMessage } from "../../../core/wire/envelope.ts";
import {
  gossipDecoders,
  type GossipMessage,
  maxGossipBytes,
} from "../../../core/wire/gossip-messages.ts";
import type { Sent } from "../node/cluster.ts";

type Of<T extends GossipMessage["type"]> = Extract<GossipMessage, { type: T }>;

export interface Told<T extends GossipMessage["type"]> {
  readonly from: number;
  readonly to: number;
  readonly reliable: boolean;
  readonly message: Of<T>;
  readonly bytes: Uint8Array;
}

export function messages<T extends GossipMessage["type"]>(
  sent: readonly Sent[],
  type: T,
): Told<T>[] {
  return sent.flatMap(({ from, to, effect }) => {
    if (effect.plane !== "gossip") return [];
    const { reliable, bytes } = effect;
    const decoded = decodeMessage(bytes, gossipDecoders, maxGossipBytes);
    if (decoded.type !== "message" || decoded.message.type !== type) return [];
    return [{ from, to, reliable, message: decoded.message as Of<T>, bytes }];
  });
}
