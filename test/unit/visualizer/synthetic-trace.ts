/**
 * A small generator of traces that follow the format, for tests of the page that want an exact size
 * or a known story: nodes ping each other, commit rows, push them, are cut in two and healed by one
 * sync. It is no protocol; recorded traces of the simulator test that side.
 */
import { KeyedHeap } from "../../../core/base/heap.ts";

export interface SyntheticOptions {
  readonly nodes: number;
  readonly durationMs: number;
  readonly commitsPerSec: number;
  readonly pingsPerSec: number;
  readonly seed: number;
  readonly cut?: { readonly fromMs: number; readonly toMs: number };
  readonly crash?: { readonly node: number; readonly fromMs: number; readonly toMs: number };
}

export const defaultSynthetic: SyntheticOptions = {
  nodes: 5,
  durationMs: 60_000,
  commitsPerSec: 10,
  pingsPerSec: 2,
  seed: 1,
  cut: { fromMs: 10_000, toMs: 30_000 },
};

interface Version {
  readonly actor: number;
  readonly number: number;
}

interface Node {
  readonly held: Set<number>;
  readonly heads: number[];
  hash: number;
  lastStateUs: number;
  alive: boolean;
}

export class SyntheticTrace {
  readonly #options: SyntheticOptions;
  readonly #queue = new KeyedHeap<() => void>(1024);
  readonly #nodes: Node[] = [];
  readonly #versions: Version[] = [];
  readonly #emit: (event: Record<string, unknown>) => void;
  #now = 0;
  #message = 0;
  #random: number;

  constructor(options: SyntheticOptions, emit: (event: Record<string, unknown>) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#random = options.seed | 0;
  }

  run(): void {
    const { nodes, durationMs, cut, crash } = this.#options;
    this.#header();
    for (let n = 0; n < nodes; n++) this.#begin(n);
    if (cut !== undefined) {
      const groups = [this.#group(0), this.#group(1)];
      const fault = { kind: "partition", atMs: cut.fromMs, groups };
      this.#at(cut.fromMs * 1000, () => this.#write({ k: "fault", id: 1, fault }));
      this.#at(cut.toMs * 1000, () => {
        this.#write({ k: "lift", id: 1, fault });
        this.#reconcile();
      });
    }
    if (crash !== undefined) this.#crash(crash);
    this.#at(durationMs * 1000, () => this.#reconcile());
    while (this.#queue.size > 0) {
      this.#now = this.#queue.minKey;
      this.#queue.pop()?.();
    }
    for (let n = 0; n < nodes; n++) this.#state(n, true);
    const hashes = new Set(this.#nodes.map((node) => node.hash));
    this.#write({ k: "end", converged: hashes.size === 1, hash: hex(this.#nodes[0]?.hash ?? 0) });
  }

  #header(): void {
    const { nodes, seed } = this.#options;
    this.#emit({
      trace: 1,
      source: "sim",
      seed: String(seed),
      scenario: "synthetic",
      options: { name: "synthetic", nodes },
      nodes: Array.from({ length: nodes }, (_, n) => ({
        n,
        name: `n${n}`,
        region: n % 2 === 0 ? "iad" : "fra",
        actor: actorOf(n),
      })),
      schema: [
        "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
      ],
    });
  }

  #begin(n: number): void {
    const { nodes, commitsPerSec, pingsPerSec } = this.#options;
    this.#nodes.push({
      held: new Set(),
      heads: Array.from({ length: nodes }, () => 0),
      hash: 0,
      lastStateUs: -1e9,
      alive: true,
    });
    this.#at(0, () => {
      for (let about = 0; about < nodes; about++)
        if (about !== n) this.#write({ k: "member", n, about, state: "alive", inc: 0, epoch: 1 });
    });
    if (pingsPerSec > 0) this.#every(1e6 / pingsPerSec, () => this.#ping(n));
    if (commitsPerSec > 0) this.#every((1e6 * nodes) / commitsPerSec, () => this.#commit(n));
  }

  #crash({ node, fromMs, toMs }: { node: number; fromMs: number; toMs: number }): void {
    this.#at(fromMs * 1000, () => {
      (this.#nodes[node] as Node).alive = false;
      this.#write({ k: "crash", n: node, disk: "kept" });
    });
    this.#at(toMs * 1000, () => {
      (this.#nodes[node] as Node).alive = true;
      this.#write({ k: "restart", n: node, actor: actorOf(node) });
    });
  }

  #ping(n: number): void {
    if (!(this.#nodes[n] as Node).alive) return;
    const to = this.#other(n);
    this.#send(n, to, "swim", "ping", 60, () => this.#send(to, n, "swim", "ack", 40, () => {}));
  }

  #commit(n: number): void {
    const node = this.#nodes[n] as Node;
    if (!node.alive) return;
    const id = this.#versions.length;
    const number = (node.heads[n] as number) + 1;
    this.#versions.push({ actor: n, number });
    const stamp = (1_700_000_000_000 + Math.floor(this.#now / 1000)).toString(16);
    const key = `k${this.#below(40)}`;
    const cells = [
      ["v", `value ${id} by n${n}`],
      ["n", id],
    ];
    this.#write({
      k: "commit",
      n,
      actor: actorOf(n),
      version: number,
      hlc: `${stamp.padStart(12, "0")}0000`,
      changes: [["kv", [key], 1, cells]],
    });
    this.#hold(n, id);
    for (let to = 0; to < this.#options.nodes; to++)
      if (to !== n) this.#send(n, to, "gossip", "push", 180, () => this.#apply(to, id, "gossip"));
  }

  #apply(n: number, id: number, via: "gossip" | "sync"): void {
    const node = this.#nodes[n] as Node;
    const version = this.#versions[id] as Version;
    if (node.held.has(id)) return;
    const gone = { n, actor: actorOf(version.actor), version: version.number };
    this.#write({ k: "apply", ...gone, via, won: 2, lost: 0 });
    this.#hold(n, id);
  }

  #hold(n: number, id: number): void {
    const node = this.#nodes[n] as Node;
    const version = this.#versions[id] as Version;
    node.held.add(id);
    node.heads[version.actor] = Math.max(node.heads[version.actor] as number, version.number);
    node.hash = (node.hash + Math.imul(id + 1, 0x9e3779b1)) >>> 0;
    this.#state(n, false);
  }

  #state(n: number, last: boolean): void {
    const node = this.#nodes[n] as Node;
    if (!last && this.#now - node.lastStateUs < 100_000) return;
    node.lastStateUs = this.#now;
    const heads: Record<string, number> = {};
    let sum = 0;
    for (const [actor, head] of node.heads.entries()) {
      if (head === 0) continue;
      heads[actorOf(actor)] = head;
      sum += head;
    }
    const rows = Math.min(40, node.held.size);
    this.#write({ k: "state", n, hash: hex(node.hash), heads, gaps: sum - node.held.size, rows });
  }

  /** Everybody asks n0 for what is missing and tells it what it lacks. */
  #reconcile(): void {
    for (let n = 1; n < this.#options.nodes; n++)
      this.#send(n, 0, "sync", "syncSummary", 200, () => {
        for (const id of (this.#nodes[n] as Node).held) this.#apply(0, id, "sync");
        this.#at(this.#now + 200_000, () =>
          this.#send(0, n, "sync", "syncChunks", 2000, () => {
            for (const id of (this.#nodes[0] as Node).held) this.#apply(n, id, "sync");
          }),
        );
      });
  }

  #send(n: number, to: number, plane: string, msg: string, bytes: number, then: () => void): void {
    const m = this.#message++;
    this.#write({ k: "send", n, m, to, plane, msg, bytes });
    const arrival = Math.round(this.#now + 1000 + this.#below(19_000));
    const why = this.#lossOf(n, to, arrival);
    this.#at(arrival, () => {
      if (why !== null) this.#write({ k: "drop", n, m, to, why });
      else if (!(this.#nodes[to] as Node).alive) this.#write({ k: "drop", n, m, to, why: "dead" });
      else {
        this.#write({ k: "recv", n: to, m, from: n, plane, msg });
        then();
      }
    });
  }

  #lossOf(n: number, to: number, arrival: number): "partition" | null {
    const { cut } = this.#options;
    if (cut === undefined || n % 2 === to % 2) return null;
    const during = this.#now < cut.toMs * 1000 && arrival >= cut.fromMs * 1000;
    return during ? "partition" : null;
  }

  #group(parity: number): number[] {
    return Array.from({ length: this.#options.nodes }, (_, n) => n).filter((n) => n % 2 === parity);
  }

  #every(everyUs: number, act: () => void): void {
    const end = this.#options.durationMs * 1000;
    const again = (at: number): void => {
      if (at > end) return;
      this.#at(at, () => {
        act();
        again(Math.round(this.#now + everyUs * (0.5 + this.#below(1000) / 1000)));
      });
    };
    again(Math.round((everyUs * this.#below(1000)) / 1000));
  }

  #at(us: number, act: () => void): void {
    this.#queue.push(us, act);
  }

  #write(fields: Record<string, unknown>): void {
    this.#emit({ t: Math.round(this.#now), ...fields });
  }

  #other(n: number): number {
    return (n + 1 + this.#below(this.#options.nodes - 1)) % this.#options.nodes;
  }

  /** Uniform in [0, bound): mulberry32. */
  #below(bound: number): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    x ^= x + Math.imul(x ^ (x >>> 7), 61 | x);
    return ((x ^ (x >>> 14)) >>> 0) % bound;
  }
}

export function actorOf(n: number): string {
  return (n + 0xa0).toString(16).padStart(32, "0");
}

function hex(hash: number): string {
  return hash.toString(16).padStart(16, "0");
}

/** The whole trace as NDJSON. */
export function syntheticText(options: Partial<SyntheticOptions> = {}): string {
  const lines: string[] = [];
  new SyntheticTrace({ ...defaultSynthetic, ...options }, (event) =>
    lines.push(JSON.stringify(event)),
  ).run();
  return `${lines.join("\n")}\n`;
}
