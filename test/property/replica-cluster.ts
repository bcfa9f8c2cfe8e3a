/**
 * A few whole replicas without the simulator's network: whoever drives it decides what arrives
 * when, in which order datagrams come, which streams break, and when a store gets round to its
 * work, which in the simulator is at once. Time passes only when it is told to.
 */
import { type ActorId, type Address, address, nodeId, actorId } from "../../core/base/ids.ts";
import { defaultConfig } from "../../core/node/config.ts";
import type { Effect, Event, Plane, StoreRequest } from "../../core/node/event.ts";
import { Replica } from "../../core/node/replica.ts";
import { runStore } from "../../core/node/run-store.ts";
import type { Chunk, Op, Store } from "../../core/node/store.ts";
import { Directory } from "../../core/swim/directory.ts";
import { createRng } from "../../sim/rng.ts";
import { memoryStores } from "../../sim/store/memory-disk.ts";
import type { Disk } from "../../sim/store-factory.ts";
import { historySchema } from "./histories.ts";

const t0 = 1_780_000_000_000;

interface Message {
  readonly plane: Plane;
  readonly bytes: Uint8Array;
}

/** What a node's store has to do, in order: answers and commits keep the order of the store's work. */
type Work =
  | { readonly type: "request"; readonly id: number; readonly request: StoreRequest }
  | { readonly type: "commit"; readonly ops: readonly Op[] };

interface Node {
  readonly n: number;
  readonly address: Address;
  readonly disk: Disk;
  store: Store;
  replica: Replica;
  up: boolean;
  boot: number;
  wallOffsetMs: number;
  work: Work[];
  timers: { readonly atMs: number; readonly order: number; readonly token: number }[];
}

/** Messages under way from one node to another. */
export interface Link {
  readonly from: number;
  readonly to: number;
  /** In any order, or never. */
  datagrams: Message[];
  /** In order, or `unreachable` is told. */
  readonly streams: Record<Plane, Message[]>;
}

export class Cluster {
  nowMs = 0;
  readonly nodes: Node[] = [];
  readonly links: Link[] = [];
  /** Every version that was committed. */
  readonly contents = new Map<string, readonly Chunk[]>();
  readonly #directory = new Directory();
  readonly #seed: string;
  #order = 0;

  constructor(count: number, seed: string) {
    this.#seed = seed;
    const factory = memoryStores({ chunkBytes: 1 });
    for (let n = 0; n < count; n++) {
      const disk = factory.disk(n);
      this.nodes.push(this.#boot({ n, disk, boot: 0, wallOffsetMs: 0, address: address(`n${n}`) }));
    }
    for (let from = 0; from < count; from++) {
      for (let to = 0; to < count; to++) {
        if (from === to) continue;
        this.links.push({ from, to, datagrams: [], streams: { swim: [], gossip: [], sync: [] } });
      }
    }
    for (const node of this.nodes) this.#start(node);
  }

  #boot(of: Pick<Node, "n" | "disk" | "boot" | "wallOffsetMs" | "address">): Node {
    const { n, disk, boot } = of;
    const digit = (name: number) => (name % 16).toString(16);
    const opened = disk.open({
      schema: historySchema,
      freshActor: actorId((digit(n + 1) + digit(boot)).repeat(16)),
      freshNodeId: nodeId((digit(n + 1) + digit(boot) + "00").repeat(8)),
      wallMs: t0 + this.nowMs,
    });
    const { store } = opened;
    const epoch = Math.max(opened.lastEpoch + 1, Math.floor(t0 + this.nowMs));
    disk.saveEpoch(epoch);
    const name = `n${n}`;
    const self = {
      address: of.address,
      nodeId: opened.nodeId,
      epoch,
      actor: store.actor,
      name,
      region: "",
    };
    const replica = new Replica({
      self,
      actor: store.actor,
      holdings: store.holdings(),
      summary: store.summary(),
      config: defaultConfig,
      rng: createRng(`${this.#seed}/${n}/${boot}`),
      directory: this.#directory,
    });
    return { ...of, store, replica, up: true, work: [], timers: [] };
  }

  #start(node: Node): void {
    if (node.boot === 0) this.#introduce(node);
    const seeds = this.nodes.filter((other) => other !== node).map((other) => other.address);
    this.#handle(node, { type: "start", seeds });
  }

  /** At the beginning all know each other, so that commands need not spend themselves on joining. */
  #introduce(node: Node): void {
    const out: Effect[] = [];
    const known = this.nodes
      .filter((other) => other !== node)
      .map((other) => other.replica.membership.identity);
    const now = { monoMs: this.nowMs, wallMs: t0 + this.nowMs };
    node.replica.membership.seedMembers(now, known, out);
    for (const effect of out) this.#carryOut(node, effect);
  }

  #handle(node: Node, event: Event): void {
    const out: Effect[] = [];
    const now = { monoMs: this.nowMs, wallMs: t0 + this.nowMs + node.wallOffsetMs };
    node.replica.handle(now, event, out);
    for (const effect of out) this.#carryOut(node, effect);
  }

  #carryOut(node: Node, effect: Effect): void {
    switch (effect.type) {
      case "send": {
        const { to, plane, bytes } = effect;
        const link = this.links.find((l) => l.from === node.n && this.#node(l.to).address === to);
        if (link === undefined) return;
        if (effect.reliable) link.streams[plane].push({ plane, bytes });
        else link.datagrams.push({ plane, bytes });
        return;
      }
      case "timer": {
        const atMs = this.nowMs + effect.delayMs;
        node.timers.push({ atMs, order: this.#order++, token: effect.token });
        return;
      }
      case "store":
        node.work.push({ type: "request", id: effect.id, request: effect.request });
        return;
      case "notify":
        return;
    }
  }

  #node(n: number): Node {
    return this.nodes[n] as Node;
  }

  /** Puts a transaction before a node's store. */
  submit(n: number, ops: readonly Op[]): void {
    if (this.#node(n).up) this.#node(n).work.push({ type: "commit", ops });
  }

  /** The store does the next thing it has to do; the replica hears of it at once. */
  work(n: number): void {
    const node = this.#node(n);
    const next = node.work.shift();
    if (next === undefined) return;
    const wallMs = t0 + this.nowMs + node.wallOffsetMs;
    if (next.type === "request") {
      const response = runStore(node.store, wallMs, next.request);
      this.#handle(node, { type: "stored", id: next.id, response });
      return;
    }
    const outcome = node.store.commit(wallMs, next.ops);
    if (outcome.type === "failed") return;
    const first = outcome.chunks[0];
    if (first !== undefined) this.contents.set(`${first.actor} ${first.version}`, outcome.chunks);
    this.#handle(node, { type: "committed", chunks: outcome.chunks, summary: outcome.summary });
  }

  /** One datagram, whichever. */
  datagram(link: Link, pick: number, keep: boolean): void {
    const message = link.datagrams[pick % link.datagrams.length];
    if (message === undefined) return;
    if (!keep) link.datagrams.splice(pick % (link.datagrams.length + 1), 1);
    this.#arrive(link, message);
  }

  /** The next message of a stream. */
  stream(link: Link, plane: Plane): void {
    const message = link.streams[plane].shift();
    if (message === undefined) return;
    if (this.#node(link.to).up) this.#arrive(link, message);
    else this.breakStream(link, plane);
  }

  /** All that is under way is lost, and the sender is told. */
  breakStream(link: Link, plane: Plane): void {
    link.streams[plane].length = 0;
    const sender = this.#node(link.from);
    if (sender.up)
      this.#handle(sender, { type: "unreachable", to: this.#node(link.to).address, plane });
  }

  /** Bytes that nobody of us sent. */
  hostile(link: Link, plane: Plane, bytes: Uint8Array): void {
    this.#arrive(link, { plane, bytes });
  }

  #arrive(link: Link, { plane, bytes }: Message): void {
    const to = this.#node(link.to);
    if (!to.up) return;
    const from = this.#node(link.from).address;
    this.#handle(to, { type: "message", from, plane, bytes });
  }

  /** Lets time pass and fires what is due, oldest first. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const next = this.#nextTimer();
      if (next === null || next.atMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.node.timers.splice(next.index, 1);
      this.#handle(next.node, { type: "timer", token: next.token });
    }
    this.nowMs = untilMs;
  }

  #nextTimer(): { node: Node; index: number; atMs: number; token: number } | null {
    let best: { node: Node; index: number; atMs: number; order: number; token: number } | null =
      null;
    for (const node of this.nodes) {
      if (!node.up) continue;
      for (let index = 0; index < node.timers.length; index++) {
        const timer = node.timers[index] as Node["timers"][number];
        if (
          best !== null &&
          (timer.atMs > best.atMs || (timer.atMs === best.atMs && timer.order > best.order))
        ) {
          continue;
        }
        best = { node, index, ...timer };
      }
    }
    return best;
  }

  checkpoint(n: number): void {
    if (this.#node(n).up) this.#node(n).store.checkpoint();
  }

  crash(n: number, fate: "kept" | "torn" | "lost"): void {
    const node = this.#node(n);
    if (!node.up) return;
    node.up = false;
    node.work = [];
    node.timers = [];
    node.store.close();
    node.disk.crash(fate);
    node.replica.membership.dispose();
    for (const link of this.links) {
      if (link.to !== n && link.from !== n) continue;
      link.datagrams = [];
      for (const plane of ["swim", "gossip", "sync"] as const) {
        if (link.from === n) link.streams[plane].length = 0;
        else if (link.streams[plane].length > 0) this.breakStream(link, plane);
      }
    }
  }

  restart(n: number): void {
    const node = this.#node(n);
    if (node.up) return;
    const next = this.#boot({ ...node, boot: node.boot + 1 });
    this.nodes[n] = next;
    this.#start(next);
  }

  /** Everything works at once from here on, until all agree. @returns whether they did in time. */
  settle(withinMs: number): boolean {
    for (const { n } of this.nodes) this.restart(n);
    for (const node of this.nodes) node.wallOffsetMs = 0;
    const endMs = this.nowMs + withinMs;
    while (this.nowMs < endMs) {
      this.#drain();
      if (this.#agreed()) return true;
      const next = this.#nextTimer();
      this.advance(Math.max(1, Math.min(50, (next?.atMs ?? endMs) - this.nowMs)));
    }
    return false;
  }

  #drain(): void {
    let busy = true;
    while (busy) {
      busy = false;
      for (const { n, work } of this.nodes) {
        while (work.length > 0) {
          this.work(n);
          busy = true;
        }
      }
      for (const link of this.links) {
        for (const plane of ["swim", "gossip", "sync"] as const) {
          while (link.streams[plane].length > 0) {
            this.stream(link, plane);
            busy = true;
          }
        }
        while (link.datagrams.length > 0) {
          this.datagram(link, 0, false);
          busy = true;
        }
      }
    }
  }

  #agreed(): boolean {
    const [first, ...others] = this.nodes as [Node, ...Node[]];
    const books = JSON.stringify(first.store.holdings());
    const { hash } = first.store.summary();
    return others.every(
      ({ store }) => store.summary().hash === hash && JSON.stringify(store.holdings()) === books,
    );
  }

  /** Actors that ever wrote, those of lost disks too. */
  actors(): Set<ActorId> {
    return new Set([...this.contents.values()].map((chunks) => (chunks[0] as Chunk).actor));
  }
}
