/**
 * A cluster of real nodes under writes and random faults from a seed: kills, stops of the process,
 * restart storms, orderly stops. At the end all run again, and every write that was acknowledged must
 * be on every node, with equal state hashes.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import seedrandom from "seedrandom";
import { type NodePlan, writeCluster } from "../../runtime/cluster/cluster-files.ts";
import { NodeProcess } from "../../runtime/cluster/node-process.ts";

export interface SoakPlan {
  readonly seed: string;
  readonly nodes: number;
  /** How long faults and writes go on. */
  readonly ms: number;
  /** Is made, and removed when all went well. */
  readonly dir: string;
  readonly tell: (line: string) => void;
}

export interface SoakResult {
  readonly acknowledged: number;
  readonly refused: number;
  readonly faults: Readonly<Record<Fault, number>>;
  /** Null when all is well; else what is wrong. */
  readonly wrong: string | null;
}

const faultKinds = ["kill", "pause", "storm", "stop"] as const;
type Fault = (typeof faultKinds)[number];

const schema = "CREATE TABLE soak (k TEXT PRIMARY KEY NOT NULL, n INTEGER);";
const writerPauseMs = 5;
const agreeMs = 120_000;

export async function runSoak(plan: SoakPlan): Promise<SoakResult> {
  const soak = new Soak(plan, await filesOf(plan));
  try {
    await soak.startAll();
    await soak.run();
    const wrong = await soak.verdict();
    return { ...soak.counts, wrong };
  } finally {
    await soak.end();
    rmSync(plan.dir, { recursive: true, force: true });
  }
}

function filesOf({ dir, nodes }: SoakPlan): Promise<NodePlan[]> {
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  return writeCluster({ dir, names, schema });
}

class Soak {
  readonly #plan: SoakPlan;
  readonly #plans: readonly NodePlan[];
  readonly #nodes: (NodeProcess | null)[];
  readonly #random: () => number;
  readonly #acknowledged: string[] = [];
  readonly #faults: Record<Fault, number> = { kill: 0, pause: 0, storm: 0, stop: 0 };
  #refused = 0;
  #over = false;

  constructor(plan: SoakPlan, plans: readonly NodePlan[]) {
    this.#plan = plan;
    this.#plans = plans;
    this.#nodes = plans.map(() => null);
    this.#random = seedrandom.alea(plan.seed);
  }

  get counts(): Omit<SoakResult, "wrong"> {
    const [acknowledged, refused, faults] = [
      this.#acknowledged.length,
      this.#refused,
      this.#faults,
    ];
    return { acknowledged, refused, faults };
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#plans.map((_, i) => this.#start(i)));
  }

  /** Writes and faults side by side, until the time is over and the last fault with it. */
  async run(): Promise<void> {
    const untilMs = performance.now() + this.#plan.ms;
    const writers = this.#plans.map((_, i) => this.#write(i));
    while (performance.now() < untilMs) {
      await sleep(200 + this.#below(800));
      await this.#fault();
      const { acknowledged, refused } = this.counts;
      const left = Math.max(0, (untilMs - performance.now()) / 1000);
      this.#plan.tell(
        `${acknowledged} writes acknowledged, ${refused} refused; ${left.toFixed(0)} s left`,
      );
    }
    this.#over = true;
    await Promise.all(writers);
  }

  /** What is wrong, or null: all rows of all acknowledged writes on all nodes, and equal hashes. */
  async verdict(): Promise<string | null> {
    const untilMs = performance.now() + agreeMs;
    for (;;) {
      const states = await Promise.all(this.#running.map(stateOf));
      if (new Set(states).size === 1) break;
      if (performance.now() > untilMs) return `no agreement: ${states.join(" | ")}`;
      await sleep(100);
    }
    for (const node of this.#running) {
      const rows = await node.rows("SELECT k FROM soak");
      const held = new Set(rows.map(([key]) => key));
      const lost = this.#acknowledged.filter((key) => !held.has(key));
      if (lost.length > 0) return `${node.name} lacks ${lost.length} writes, ${lost[0]} among them`;
    }
    return null;
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running.map((node) => node.end("SIGKILL")));
  }

  get #running(): NodeProcess[] {
    return this.#nodes.filter((node) => node?.running === true) as NodeProcess[];
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  async #start(i: number): Promise<void> {
    const { name, configFile } = this.#plans[i] as NodePlan;
    const logFile = join(this.#plan.dir, `${name}.log`);
    this.#nodes[i] = await NodeProcess.start({ name, configFile, logFile });
  }

  async #write(i: number): Promise<void> {
    for (let n = 0; !this.#over; n++) {
      await sleep(writerPauseMs);
      const node = this.#nodes[i];
      if (node?.running !== true) continue;
      const key = `${i}/${n}`;
      try {
        const { version } = await node.transact([["INSERT INTO soak VALUES (?, ?)", [key, n]]]);
        if (version === null || version === undefined) this.#refused++;
        else this.#acknowledged.push(key);
      } catch {
        // Killed amid the answer: it may be there or not.
        this.#refused++;
      }
    }
  }

  async #fault(): Promise<void> {
    const kind = faultKinds[this.#below(faultKinds.length)] as Fault;
    const i = this.#below(this.#plans.length);
    const node = this.#nodes[i] as NodeProcess;
    this.#faults[kind]++;
    this.#plan.tell(`${kind} ${node.name}`);
    switch (kind) {
      case "kill":
        await node.end("SIGKILL");
        await sleep(this.#below(2000));
        await this.#start(i);
        break;
      case "pause":
        node.poke("SIGSTOP");
        await sleep(1000 + this.#below(4000));
        node.poke("SIGCONT");
        break;
      case "storm":
        for (let round = 0; round < 3; round++) {
          await (this.#nodes[i] as NodeProcess).end("SIGKILL");
          await this.#start(i);
        }
        break;
      case "stop":
        await node.end("SIGTERM");
        await this.#start(i);
        break;
    }
  }
}

async function stateOf(node: NodeProcess): Promise<string> {
  const { db, heads } = await node.get<{
    db: { state_hash: string; rows: number };
    heads: Record<string, number>;
  }>("/v1/status");
  const sorted = Object.entries(heads).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${db.state_hash} ${db.rows} ${JSON.stringify(sorted)}`;
}
