/**
 * A few replicas with stores in memory and a network of fixed delay, small enough to look at every
 * message: for tests of conversations. Whole scenarios with faults are played on the simulator.
 */
import { type ActorId, type Address, actorId, address, nodeId } from "../../../core/base/ids.ts";
import { profileConfig, type ReplicaConfig } from "../../../core/node/config.ts";
import type { Effect, Event, Notice, Plane } from "../../../core/node/event.ts";
import { Replica } from "../../../core/node/replica.ts";
import { runStore } from "../../../core/node/run-store.ts";
import type { Op } from "../../../core/node/store.ts";
import { Directory } from "../../../core/swim/directory.ts";
import type { Identity } from "../../../core/swim/identity.ts";
import { createRng } from "../../../sim/rng.ts";
import { MemoryStore } from "../../../sim/store/memory-store.ts";

export const schema = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
];

/** A wall clock to begin with. */
export const startMs = 1_780_000_000_000;

type Send = Extract<Effect, { type: "send" }>;

/** One message on its way or arrived. */
export interface Sent {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly effect: Send;
}

export interface ClusterOptions {
  readonly nodes: number;
  readonly seed?: string;
  /** One-way delay. */
  readonly delayMs?: number;
  readonly config?: (config: ReplicaConfig, n: number) => ReplicaConfig;
  readonly chunkBytes?: number;
  /** Fills a node's store before its replica begins. */
  readonly fill?: (store: MemoryStore, n: number) => void;
  /** Numbers of nodes that exist but are not started or known yet. */
  readonly absent?: readonly number[];
  /** Where each node stands; all in one place when left out. */
  readonly regionOf?: (n: number) => string;
}

export class ClusterNode {
  readonly n: number;
  readonly identity: Identity;
  readonly store: MemoryStore;
  readonly replica: Replica;
  readonly notices: Notice[] = [];
  storeFails = false;
  /** Answers of the store are kept back until `releaseStore`. */
  storeHangs = false;
  readonly hanging: Extract<Effect, { type: "store" }>[] = [];
  down = false;

  constructor(n: number, config: ReplicaConfig, options: ClusterOptions) {
    const { seed = "cluster", chunkBytes = 32 * 1024 } = options;
    this.n = n;
    this.identity = { ...identityOf(n), region: options.regionOf?.(n) ?? "" };
    this.store = new MemoryStore({ actor: this.identity.actor, schema, chunkBytes });
    options.fill?.(this.store, n);
    this.replica = new Replica({
      self: this.identity,
      actor: this.identity.actor,
      holdings: this.store.holdings(),
      summary: this.store.summary(),
      config,
      rng: createRng(seed).fork(`node/${n}`),
      directory: new Directory(),
    });
  }
}

export function identityOf(n: number): Identity {
  return {
    address: address(`n${n}`),
    nodeId: nodeId(hex(0xd0 + n)),
    epoch: 1,
    actor: actorId(hex(0xa0 + n)),
    name: `n${n}`,
    region: "",
  };
}

export function actorOf(n: number): ActorId {
  return identityOf(n).actor;
}

function hex(n: number): string {
  return n.toString(16).padStart(4, "0").repeat(8);
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Cluster {
  readonly nodes: ClusterNode[] = [];
  /** Everything sent over the gossip and sync planes, in order. */
  readonly sent: Sent[] = [];
  /** Decides whether a message is lost; whoever sent a reliable one is told. */
  loses: (sent: Sent) => boolean = () => false;
  /** Hears every effect as it is carried out. */
  watch: (node: ClusterNode, effect: Effect) => void = () => {};
  nowMs = 0;
  readonly #delayMs: number;
  readonly #queue: Due[] = [];
  #order = 0;
  #writes = 0;

  constructor(options: ClusterOptions) {
    const { nodes, delayMs = 5, absent = [] } = options;
    this.#delayMs = delayMs;
    for (let n = 0; n < nodes; n++) {
      const config = options.config?.(profileConfig("lan"), n) ?? profileConfig("lan");
      this.nodes.push(new ClusterNode(n, config, options));
    }
    const present = this.nodes.filter(({ n }) => !absent.includes(n));
    for (const node of present) {
      const out: Effect[] = [];
      node.replica.membership.seedMembers(
        this.#now(),
        present.map(({ identity }) => identity),
        out,
      );
      this.#carryOut(node, out);
      this.handle(node.n, { type: "start", seeds: [] });
    }
    for (const n of absent) (this.nodes[n] as ClusterNode).down = true;
  }

  node(n: number): ClusterNode {
    const node = this.nodes[n];
    if (node === undefined) throw new RangeError(`no node ${n}`);
    return node;
  }

  commit(n: number, ...ops: Op[]): void {
    const { store } = this.node(n);
    const outcome = store.commit(startMs + this.nowMs, ops);
    if (outcome.type === "failed") throw new Error(outcome.error);
    this.handle(n, { type: "committed", chunks: outcome.chunks, summary: outcome.summary });
  }

  /** Writes all columns of a row, so that it overwrites the row's last version completely. */
  put(n: number, key: string, value = "x"): void {
    this.commit(n, ["upsert", "kv", { k: key, v: `${value}/${this.#writes}`, n: this.#writes++ }]);
  }

  handle(n: number, event: Event): void {
    const node = this.node(n);
    const out: Effect[] = [];
    node.replica.handle(this.#now(), event, out);
    this.#carryOut(node, out);
  }

  /** Joins a node that was absent through `seed`. */
  join(n: number, seed: number): void {
    this.node(n).down = false;
    this.handle(n, { type: "start", seeds: [this.node(seed).identity.address] });
  }

  /** Runs for so long. */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (;;) {
      let next = -1;
      for (let i = 0; i < this.#queue.length; i++) {
        const item = this.#queue[i] as Due;
        const best = this.#queue[next];
        if (item.atMs > untilMs) continue;
        if (best === undefined || item.atMs < best.atMs) next = i;
        else if (item.atMs === best.atMs && item.order < best.order) next = i;
      }
      if (next < 0) break;
      const item = this.#queue.splice(next, 1)[0] as Due;
      this.nowMs = Math.max(this.nowMs, item.atMs);
      item.run();
    }
    this.nowMs = untilMs;
  }

  /** Cuts all links between the two groups, both ways, until `heal`. */
  cut(left: readonly number[], right: readonly number[]): void {
    this.loses = ({ from, to }) =>
      (left.includes(from) && right.includes(to)) || (left.includes(to) && right.includes(from));
  }

  heal(): void {
    this.loses = () => false;
  }

  releaseStore(n: number): void {
    const node = this.node(n);
    node.storeHangs = false;
    for (const effect of node.hanging.splice(0)) this.#store(node, effect);
  }

  /** State hashes of all nodes that are up. */
  states(): string[] {
    return this.nodes.filter(({ down }) => !down).map(({ store }) => store.summary().hash);
  }

  get agrees(): boolean {
    const up = this.nodes.filter(({ down }) => !down);
    const books = up.map(({ replica }) => `${replica.ledger.hash.hi}/${replica.ledger.hash.lo}`);
    return new Set(this.states()).size === 1 && new Set(books).size === 1;
  }

  sentOf(kind: string, since = 0): Sent[] {
    return this.sent.slice(since).filter(({ effect }) => effect.kind === kind);
  }

  notices<T extends Notice["type"]>(n: number, type: T): Extract<Notice, { type: T }>[] {
    return this.node(n).notices.filter(
      (notice): notice is Extract<Notice, { type: T }> => notice.type === type,
    );
  }

  #now(): { monoMs: number; wallMs: number } {
    return { monoMs: this.nowMs, wallMs: startMs + this.nowMs };
  }

  #later(delayMs: number, run: () => void): void {
    this.#queue.push({ atMs: this.nowMs + delayMs, order: this.#order++, run });
  }

  #carryOut(node: ClusterNode, effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.watch(node, effect);
      switch (effect.type) {
        case "send":
          this.#send(node, effect);
          break;
        case "timer":
          this.#later(effect.delayMs, () => {
            if (!node.down) this.handle(node.n, { type: "timer", token: effect.token });
          });
          break;
        case "store":
          if (node.storeHangs) node.hanging.push(effect);
          else this.#store(node, effect);
          break;
        case "notify":
          node.notices.push(effect.notice);
          break;
      }
    }
  }

  #store(node: ClusterNode, effect: Extract<Effect, { type: "store" }>): void {
    const response = node.storeFails
      ? ({ type: "failed", why: "disk full" } as const)
      : runStore(node.store, startMs + this.nowMs, effect.request);
    // As a host does: answers are handed in after the effects of the call that asked.
    this.#later(0, () => this.handle(node.n, { type: "stored", id: effect.id, response }));
  }

  #send(node: ClusterNode, effect: Send): void {
    const to = this.nodes.find(({ identity }) => identity.address === effect.to);
    if (to === undefined) return;
    const sent: Sent = { atMs: this.nowMs, from: node.n, to: to.n, effect };
    if (effect.plane !== "swim") this.sent.push(sent);
    this.#later(this.#delayMs, () => {
      if (node.down) return;
      if (to.down || this.loses(sent)) {
        if (effect.reliable) this.#tellUnreachable(node, to.identity.address, effect.plane);
        return;
      }
      const { plane, bytes } = effect;
      this.handle(to.n, { type: "message", from: node.identity.address, plane, bytes });
    });
  }

  #tellUnreachable(node: ClusterNode, to: Address, plane: Plane): void {
    this.#later(100, () => {
      if (!node.down) this.handle(node.n, { type: "unreachable", to, plane });
    });
  }
}
