/**
 * A simulated cluster of whole replicas that is written to by an experiment, and what became of
 * each write: when which node had applied it, and by which way.
 */
import { assert } from "../../core/base/assert.ts";
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk } from "../../core/node/store.ts";
import { peekPush } from "../../core/wire/gossip-messages.ts";
import type { Check } from "../../sim/check/check.ts";
import type { SimNode } from "../../sim/host/node.ts";
import type { Packet } from "../../sim/network/packet.ts";
import { createRun, type Run } from "../../sim/run.ts";
import { parseScenario } from "../../sim/scenario/parse.ts";

export interface Write {
  readonly node: number;
  readonly committedUs: number;
  /** When each node that got it had applied it, in order of time, the writer left out. */
  readonly appliedUs: number[];
  /** How many of those by broadcast. */
  byGossip: number;
  /** Of its changes, as they travel. */
  readonly bytes: number;
  /** Of the broadcast to each node that got it so, the longest way: last delivery hop. */
  lastHop: number;
}

/** Counts since the last `mark`. */
export interface Mark {
  readonly pushes: number;
  readonly bytes: number;
  readonly messages: number;
}

export class Fleet {
  readonly run: Run;
  /** In the order of the commits. */
  readonly writes: Write[] = [];
  readonly #byVersion = new Map<string, Write>();
  readonly #hops: number[] = [];
  #count = 0;

  /** @param scenario as in a scenario file; no checks are made. */
  constructor(scenario: object, seed: string) {
    const parsed = parseScenario(scenario, "experiment");
    assert(parsed.ok, parsed.ok ? "the scenario is valid" : parsed.error);
    this.run = createRun(parsed.scenario, { seed, checks: [] });
    const watch: Check = {
      committed: (node, chunks) => this.#committed(node, chunks),
      stored: (node, request, response) => this.#stored(node.n, request, response),
      received: (packet) => this.#received(packet),
    };
    this.run.world.checks = [watch];
  }

  get nodes(): readonly SimNode[] {
    return this.run.world.nodes;
  }

  get nowMs(): number {
    return this.run.nowUs / 1000;
  }

  runUntil(ms: number): void {
    this.run.step(ms * 1000);
  }

  /** One row of 100 characters, under a key of its own, unless told otherwise. False when the node takes no write now. */
  write(node: number, key?: string, characters = 100): boolean {
    const count = this.#count++;
    const row = { k: key ?? `k${count}`, v: `${count}`.padEnd(characters, "x") };
    const to = this.nodes[node];
    return to !== undefined && to.submit({ type: "ops", ops: [["upsert", "kv", row]] });
  }

  /** Pushes that arrived, and what was sent for broadcast, so far. */
  mark(): Mark {
    const { traffic } = this.run.world;
    let pushes = 0;
    for (const { replica } of this.nodes) {
      if (replica === null) continue;
      const { fresh, duplicates } = replica.stats().broadcast;
      pushes += fresh + duplicates;
    }
    return {
      pushes,
      bytes: traffic.bytes[1] as number,
      messages: traffic.messages[1] as number,
    };
  }

  #committed(node: SimNode, chunks: readonly Chunk[]): void {
    for (const { actor, version, payload, index } of chunks) {
      assert(index === 0, "a row is one chunk");
      const { nowUs: committedUs } = this.run;
      const bytes = payload.length;
      const write = { node: node.n, committedUs, appliedUs: [], byGossip: 0, bytes, lastHop: 0 };
      this.writes.push(write);
      this.#byVersion.set(`${actor}/${version}`, write);
    }
  }

  /** The hop at which the push came that a node applies next: nothing lies between in the simulator. */
  #received({ to, kind, bytes }: Packet): void {
    if (kind === "push") this.#hops[to] = peekPush(bytes)?.hops ?? 0;
  }

  #stored(node: number, request: StoreRequest, response: StoreResponse): void {
    if (request.type !== "receive" || response.type !== "receive") return;
    for (const { type, actor, version } of response.versions) {
      if (type !== "applied") continue;
      const write = this.#byVersion.get(`${actor}/${version}`);
      if (write === undefined) continue;
      write.appliedUs.push(this.run.nowUs);
      if (request.via !== "gossip") continue;
      write.byGossip++;
      write.lastHop = Math.max(write.lastHop, this.#hops[node] ?? 0);
    }
  }
}

/** From the commit until `count` nodes beside the writer had it, in ms; null if it never came to so many. */
export function reachedMs(write: Write, count: number): number | null {
  const us = write.appliedUs[count - 1];
  return us === undefined ? null : (us - write.committedUs) / 1000;
}
