/**
 * How well the broadcast of a cluster works, on the simulator: copies a node and message, and the
 * time from a commit to its being applied at the last node. What `npm run bench gossip` prints.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { Check } from "../check/check.ts";
import type { SimNode } from "../host/node.ts";
import type { LatencySpec } from "../network/latency.ts";
import { regionNames } from "../network/regions.ts";
import { createRng } from "../rng.ts";
import { createRun, type Run } from "../run.ts";
import { parseScenario } from "../scenario/parse.ts";

export interface BroadcastOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly mode: "flood" | "tree";
  readonly latencyMs: LatencySpec;
  readonly profile: "lan" | "wan";
  readonly loss: number;
  /** Nodes that write, taken in turns; all when left out. */
  readonly sources?: number;
  readonly messages: number;
  /** Between two messages. */
  readonly everyMs: number;
  /** Characters of text in each row written. */
  readonly valueBytes: number;
}

export interface BroadcastFigures {
  /** Pushes that arrived, per node and message. */
  readonly copies: number;
  /** The same over the second half of the messages. */
  readonly copiesSettled: number;
  /** From the commit to the last node: median, 99th percentile and worst over the messages, ms. */
  readonly lastMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From the commit to each node: median and 99th percentile over all nodes and messages, ms. */
  readonly eachMs: { readonly p50: number; readonly p99: number };
  /** Share of (node, message) that came by broadcast rather than by sync. */
  readonly byBroadcast: number;
  /** Share that came at all. */
  readonly delivered: number;
  /** Bytes of the broadcast plane per node and message. */
  readonly bytes: number;
}

/** Time for what is late, and for sync to bring what broadcast missed. */
const afterMs = 5000;

export function measureBroadcast(options: BroadcastOptions): BroadcastFigures {
  const run = createRun(scenarioOf(options), { seed: options.seed, checks: [] });
  const watch = new Watch(run);
  run.world.checks = [watch];
  const rng = createRng(options.seed).fork("sources");
  const { nodes } = run.world;
  const sources = options.sources ?? nodes.length;
  const text = "x".repeat(options.valueBytes);
  // A second for the first pings, so that the start of the cluster is not measured.
  let atUs = 1_000_000;
  let pushesAtHalf = 0;
  for (let i = 0; i < options.messages; i++) {
    run.step(atUs);
    if (i === options.messages >> 1) pushesAtHalf = pushesReceived(run);
    const node = nodes[rng.below(sources)] as SimNode;
    const row = { k: `k${i}`, v: text };
    assert(node.submit({ type: "ops", ops: [["insert", "kv", row]] }), "a node takes a write");
    atUs += options.everyMs * 1000;
  }
  run.step(atUs);
  const pushes = pushesReceived(run);
  run.step(atUs + afterMs * 1000);
  const receivers = nodes.length - 1;
  const second = options.messages - (options.messages >> 1);
  return {
    copies: pushes / receivers / options.messages,
    copiesSettled: (pushes - pushesAtHalf) / receivers / second,
    ...watch.figures(receivers),
    bytes: (run.world.traffic.bytes[1] as number) / nodes.length / options.messages,
  };
}

function scenarioOf(options: BroadcastOptions) {
  const geo = "geo" in options.latencyMs;
  const nodes = Array.from({ length: options.nodes }, (_, i) => ({
    name: `n${i}`,
    region: geo ? (regionNames[i % regionNames.length] as string) : "",
  }));
  const parsed = parseScenario(
    {
      nodes,
      durationMs: options.messages * options.everyMs + 10 * afterMs,
      network: { latencyMs: options.latencyMs, loss: options.loss },
      broadcast: options.mode,
      profile: options.profile,
      start: "warm",
    },
    "broadcast",
  );
  assert(parsed.ok, parsed.ok ? "the scenario is valid" : parsed.error);
  return parsed.scenario;
}

function pushesReceived(run: Run): number {
  let pushes = 0;
  for (const { replica } of run.world.nodes) {
    if (replica === null) continue;
    const { fresh, duplicates } = replica.stats().broadcast;
    pushes += fresh + duplicates;
  }
  return pushes;
}

/** Notes when each version is applied where. */
class Watch implements Check {
  readonly #run: Run;
  readonly #committedUs = new Map<string, number>();
  readonly #lastUs = new Map<string, number>();
  readonly #count = new Map<string, number>();
  readonly #each: number[] = [];
  #gossip = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  committed(_node: SimNode, chunks: readonly Chunk[]): void {
    for (const { actor, version } of chunks) {
      this.#committedUs.set(keyOf(actor, version), this.#run.nowUs);
    }
  }

  stored(_node: SimNode, request: StoreRequest, response: StoreResponse): void {
    if (request.type !== "receive" || response.type !== "receive") return;
    for (const { type, actor, version } of response.versions) {
      if (type !== "applied") continue;
      const key = keyOf(actor, version);
      this.#lastUs.set(key, this.#run.nowUs);
      this.#count.set(key, (this.#count.get(key) ?? 0) + 1);
      this.#each.push((this.#run.nowUs - (this.#committedUs.get(key) ?? 0)) / 1000);
      if (request.via === "gossip") this.#gossip++;
    }
  }

  figures(receivers: number): Omit<BroadcastFigures, "copies" | "copiesSettled" | "bytes"> {
    const last: number[] = [];
    for (const [key, us] of this.#committedUs) {
      last.push(((this.#lastUs.get(key) ?? us) - us) / 1000);
    }
    last.sort((a, b) => a - b);
    const each = Float64Array.from(this.#each).sort();
    return {
      lastMs: { p50: at(last, 0.5), p99: at(last, 0.99), max: at(last, 1) },
      eachMs: { p50: at(each, 0.5), p99: at(each, 0.99) },
      byBroadcast: this.#gossip / this.#each.length,
      delivered: this.#each.length / (receivers * this.#committedUs.size),
    };
  }
}

function keyOf(actor: ActorId, version: number): string {
  return `${actor}/${version}`;
}

/** The value below which `share` of the sorted values lie. */
function at(sorted: ArrayLike<number>, share: number): number {
  const i = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[i] ?? 0;
}
