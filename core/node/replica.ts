/**
 * One node of a cluster: membership, broadcast and anti-entropy composed behind one door. The
 * replica routes events to the machine that they belong to, tells the others what membership
 * found, and keeps the books (`ledger`) and the state hash in step with the store's answers.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { ActorId, Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import { Broadcast, type BroadcastStats } from "../gossip/broadcast.ts";
import type { Directory } from "../swim/directory.ts";
import type { Identity } from "../swim/identity.ts";
import { Membership } from "../swim/membership.ts";
import type { ChunkPool } from "../sync/chunk-pool.ts";
import { Inbox, maxInboxBytes, maxInboxChunks, type Received } from "../sync/inbox.ts";
import { Ledger, maxActors, maxPartials } from "../sync/ledger.ts";
import { StateView } from "../sync/state-view.ts";
import { Sync, type SyncStats } from "../sync/sync.ts";
import { hashOfHex } from "../wire/wire-hash.ts";
import type { ReplicaConfig } from "./config.ts";
import type { Effect, Event, Now, StoreResponse } from "./event.ts";
import { IdSource, machineOf, machines } from "./ids.ts";
import { PushIntake } from "./push-intake.ts";
import { type QueueSize, queueSizes } from "./queue-sizes.ts";
import type { ActorHoldings, Chunk, StoreSummary } from "./store.ts";

export interface ReplicaOptions {
  readonly self: Identity;
  /** The author of this node's versions: its store's actor. */
  readonly actor: ActorId;
  /** As the store tells them, at the same moment as `summary`. */
  readonly holdings: readonly ActorHoldings[];
  readonly summary: StoreSummary;
  readonly config: ReplicaConfig;
  readonly rng: Rng;
  /** Identities known to the process; shared between the replicas of one simulation. */
  readonly directory: Directory;
  /** Chunks that the replicas of one simulation share. */
  readonly chunks?: ChunkPool;
  /**
   * 16 hex digits that stand for the store's schema. Rows are compared only between equal ones;
   * left out, all nodes are taken to have the same.
   */
  readonly schema?: string;
}

export interface ReplicaStats {
  readonly queues: readonly QueueSize[];
  readonly broadcast: BroadcastStats;
  readonly sync: SyncStats;
}

const noSchema = "0000000000000000";

export class Replica {
  readonly actor: ActorId;
  readonly membership: Membership;
  readonly ledger: Ledger;
  readonly #state: StateView;
  readonly #inbox: Inbox;
  readonly #broadcast: Broadcast;
  readonly #sync: Sync;
  readonly #intake: PushIntake;

  constructor(options: ReplicaOptions) {
    const { self, actor, holdings, summary, config, rng, directory } = options;
    this.actor = actor;
    this.membership = new Membership({
      self,
      config: config.swim,
      rng: rng.fork("swim"),
      directory,
    });
    this.ledger = new Ledger(holdings);
    this.#state = new StateView(summary, hashOfHex(options.schema ?? noSchema));
    const ids = new IdSource(machines.replica);
    this.#inbox = new Inbox(this.ledger, config.sync, ids, options.chunks);
    this.#sync = new Sync({
      self: self.address,
      ledger: this.ledger,
      inbox: this.#inbox,
      state: this.#state,
      members: this.membership,
      config: config.sync,
      rng: rng.fork("sync"),
    });
    this.#intake = new PushIntake(this.ledger, this.#inbox, this.#sync);
    this.#broadcast = new Broadcast({
      self: self.address,
      config: config.gossip,
      rng: rng.fork("gossip"),
      peers: this.membership,
      intake: this.#intake,
    });
  }

  /** The state hash and rows as of the store's last answer. */
  get summary(): StoreSummary {
    return this.#state.summary;
  }

  /**
   * The store has another schema now. @param schema as in the options
   * @param quarantined versions still wait for a schema that knows them
   */
  schemaChanged(schema: string, quarantined: boolean): void {
    this.#state.schema = hashOfHex(schema);
    this.#state.quarantined = quarantined;
  }

  handle(now: Now, event: Event, out: Effect[]): void {
    const before = out.length;
    switch (event.type) {
      case "start":
        this.membership.start(now, event.seeds, out);
        this.#sync.start(now, out);
        this.#passOnMembers(now, before, out);
        break;
      case "seeds":
        this.membership.reseed(now, event.seeds, out);
        this.#passOnMembers(now, before, out);
        break;
      case "message":
        this.#message(now, event.from, event.plane, event.bytes, out);
        if (event.more !== true) this.#intake.flush(out);
        break;
      case "timer":
        this.#timer(now, event.token, out);
        break;
      case "committed":
        this.#committed(now, event.chunks, event.summary, out);
        break;
      case "stored":
        this.#stored(now, event.id, event.response, out);
        break;
      case "unreachable":
        this.#unreachable(now, event.to, event.plane, out);
        break;
      case "rtt":
        this.#broadcast.rtt(event.peer, event.rttMs);
        break;
      case "leave":
        this.membership.leave(now, out);
        this.#passOnMembers(now, before, out);
        break;
      default:
        unreachable(event);
    }
  }

  stats(): ReplicaStats {
    const broadcast = this.#broadcast.stats();
    const sync = this.#sync.stats();
    const queues: QueueSize[] = [
      ...this.membership.stats().queues,
      { name: "actors", size: this.ledger.actorCount, max: maxActors },
      { name: "partials", size: this.ledger.partialCount, max: maxPartials },
      { name: "inbox", size: this.#inbox.size, max: maxInboxChunks },
      // One chunk may be longer than the bound alone.
      { name: "inboxBytes", size: this.#inbox.bytes, max: maxInboxBytes },
      ...queueSizes(broadcast, sync),
    ];
    return { queues, broadcast, sync };
  }

  #message(
    now: Now,
    from: Address,
    plane: "swim" | "gossip" | "sync",
    bytes: Uint8Array,
    out: Effect[],
  ): void {
    const before = out.length;
    switch (plane) {
      case "swim":
        this.membership.message(now, from, bytes, out);
        this.#passOnMembers(now, before, out);
        break;
      case "gossip":
        this.#broadcast.message(now, from, bytes, out);
        break;
      case "sync":
        this.#sync.message(now, from, bytes, out);
        break;
      default:
        unreachable(plane);
    }
  }

  #timer(now: Now, token: number, out: Effect[]): void {
    const before = out.length;
    const machine = machineOf(token);
    if (machine === machines.swim) {
      this.membership.timer(now, token, out);
      this.#passOnMembers(now, before, out);
    } else if (machine === machines.gossip) {
      this.#broadcast.timer(now, token, out);
    } else if (machine === machines.sync) {
      this.#sync.timer(now, token, out);
    }
  }

  #committed(now: Now, chunks: readonly Chunk[], summary: StoreSummary, out: Effect[]): void {
    this.#state.update(summary);
    const first = chunks[0];
    if (first === undefined) return;
    assert(first.actor === this.actor, "a local commit is of this node's actor");
    assert(first.count === chunks.length, "a commit hands over all of its chunks");
    this.ledger.hold(first.actor, first.version, first.version);
    this.#broadcast.committed(now, chunks, out);
    this.#sync.committed(now, out);
  }

  #stored(now: Now, id: number, response: StoreResponse, out: Effect[]): void {
    if (machineOf(id) === machines.sync) {
      this.#sync.stored(now, id, response, out);
      return;
    }
    const received = this.#inbox.stored(now, id, response);
    if (received !== null) this.#state.update(received.summary);
    if (received?.outcomes.some(({ type }) => type === "quarantined") === true) {
      this.#state.quarantined = true;
    }
    this.#noteGaps(now, received, out);
    this.#sync.received(now, received, out);
  }

  /** A version that overtook others of its author leaves a gap that nothing may close. */
  #noteGaps(now: Now, received: Received | null, out: Effect[]): void {
    const { lastPusher } = this.#intake;
    if (received === null || received.via !== "gossip" || lastPusher === null) return;
    for (const { actor, version } of received.outcomes) {
      const ledger = this.ledger.get(actor);
      if (ledger === undefined || version === 1 || ledger.held.hasAll(1, version)) continue;
      this.#sync.gap(now, lastPusher, ledger, version - 1, out);
    }
  }

  #unreachable(now: Now, to: Address, plane: "swim" | "gossip" | "sync", out: Effect[]): void {
    const before = out.length;
    switch (plane) {
      case "swim":
        this.membership.unreachable(now, to, out);
        this.#passOnMembers(now, before, out);
        break;
      case "gossip":
        this.#broadcast.unreachable(now, to, out);
        break;
      case "sync":
        this.#sync.unreachable(now, to, out);
        break;
      default:
        unreachable(plane);
    }
  }

  /** Tells the other machines what membership has just found. */
  #passOnMembers(now: Now, from: number, out: Effect[]): void {
    const end = out.length;
    for (let i = from; i < end; i++) {
      const effect = out[i] as Effect;
      if (effect.type !== "notify") continue;
      const { notice } = effect;
      if (notice.type === "member") {
        this.#broadcast.memberChanged(now, notice.about, notice.state, out);
        this.#sync.memberChanged(now, notice.about, notice.state, out);
      } else if (notice.type === "forgotten") {
        this.#sync.forgotten(notice.about);
      }
    }
  }
}
