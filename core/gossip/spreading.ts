/** The two ways of spreading a message have one interface; configuration chooses. */
import type { ActorId, Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, Now } from "../node/event.ts";
import type { IdSource } from "../node/ids.ts";
import type { Announcement, ChunkRef } from "../wire/gossip-messages.ts";
import type { Intake } from "./broadcast.ts";
import type { GossipConfig } from "./config.ts";
import type { Outbox } from "./outbox.ts";
import type { Overlay, Peers } from "./overlay.ts";
import type { Recent, RecentMessages } from "./recent.ts";

export interface Spreading {
  /** A message is new here: pass it on. */
  spread(now: Now, message: Recent, out: Effect[]): void;
  /** Do copies of this node's own push of `bytes` go ahead to other regions? Asked once, before it is spread. */
  goesAhead(now: Now, actor: ActorId, bytes: number): boolean;
  /** `from` pushed what was here already. `known`: unless it is long ago or came by sync. */
  duplicate(now: Now, known: Recent | undefined, from: Address, out: Effect[]): void;
  ihave(now: Now, from: Address, have: readonly Announcement[], out: Effect[]): void;
  graft(now: Now, from: Address, refs: readonly ChunkRef[], out: Effect[]): void;
  prune(now: Now, from: Address, out: Effect[]): void;
  timer(now: Now, token: number, out: Effect[]): void;
  /** `peer` left or is down. */
  gone(now: Now, peer: Address, out: Effect[]): void;
  /** A message to `peer` was lost on its way. */
  unreachable(now: Now, peer: Address, out: Effect[]): void;
  /** Announced messages that are waited for. */
  readonly missing: number;
}

/** What both ways of spreading work with. */
export interface SpreadingParts {
  readonly self: Address;
  readonly config: GossipConfig;
  readonly rng: Rng;
  readonly peers: Peers;
  readonly intake: Intake;
  readonly ids: IdSource;
  readonly recent: RecentMessages;
  readonly outbox: Outbox;
  readonly overlay: Overlay;
}
