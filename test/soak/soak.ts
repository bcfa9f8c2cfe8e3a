/**
 * A cluster of real nodes under writes and random faults from a seed: kills, stops of the process,
 * restart storms, orderly stops, new certificates, clients that do not read, a full disk; and side by
 * side with them cuts and bad weather of the network. At the end all run and reach each other again,
 * and every write that was acknowledged must be on every node, with equal state hashes, and each
 * database must pass the check of every row.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import seedrandom from "seedrandom";
import { type NodePlan, writeCluster } from "../../runtime/cluster/cluster-files.ts";
import { NodeProcess } from "../../runtime/cluster/node-process.ts";
import { Load, loadSchema } from "../chaos/load.ts";
import { Namespaces } from "../chaos/namespaces.ts";
import type { BadNetwork } from "../chaos/network.ts";
import { stateOf } from "../chaos/node-state.ts";
import { SlowReader } from "../chaos/slow-reader.ts";
import { SmallDisk, whyNoSmallDisk } from "../chaos/small-disk.ts";
import { UdpNetwork } from "../chaos/udp-network.ts";
import { patina } from "../integration/patina-process.ts";

export type SoakNetwork = "none" | "proxies" | "namespaces";

export interface SoakPlan {
  readonly seed: string;
  readonly nodes: number;
  /** How long faults and writes go on. */
  readonly ms: number;
  /** Is made, and removed when all went well. */
  readonly dir: string;
  readonly network: SoakNetwork;
  /** One pause of a process lasts this long; the others some seconds. */
  readonly longPauseMs?: number;
  /** Between two writes of each node's writer; 5 where left out. */
  readonly writePauseMs?: number;
  readonly tell: (line: string) => void;
}

export interface SoakResult {
  readonly acknowledged: number;
  readonly refused: number;
  /** Acknowledged only at a second try, under the same idempotency key. */
  readonly retried: number;
  readonly faults: Readonly<Record<Fault, number>>;
  /** Null when all is well; else what is wrong. */
  readonly wrong: string | null;
}

const nodeFaults = ["kill", "pause", "storm", "stop", "rotate", "slow", "full"] as const;
const networkFaults = ["cut", "weather"] as const;
type NodeFault = (typeof nodeFaults)[number];
type NetworkFault = (typeof networkFaults)[number];
export type Fault = NodeFault | NetworkFault;

const agreeMs = 180_000;

export async function runSoak(plan: SoakPlan): Promise<SoakResult> {
  const network = await networkOf(plan);
  const soak = new Soak(plan, network, await filesOf(plan, network));
  let wrong: string | null = "it did not come to an end";
  try {
    await soak.startAll();
    await soak.run();
    wrong = await soak.verdict();
    return { ...soak.counts, wrong };
  } finally {
    await soak.end();
    await network?.close();
    if (wrong === null) rmSync(plan.dir, { recursive: true, force: true });
    else plan.tell(`logs and databases are kept in ${plan.dir}`);
  }
}

async function networkOf({ network, nodes, seed }: SoakPlan): Promise<BadNetwork | null> {
  if (network === "none") return null;
  return network === "proxies" ? await UdpNetwork.open(nodes, seed) : new Namespaces(nodes);
}

async function filesOf({ dir, nodes }: SoakPlan, network: BadNetwork | null): Promise<NodePlan[]> {
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const plans = await writeCluster({
    dir,
    names,
    schema: loadSchema,
    // Nodes in namespaces are asked from outside; the proxies carry UDP alone.
    settings: { "api.open": true },
    ...(network === null ? {} : { place: (i: number) => network.place(i) }),
  });
  network?.connect(plans.map(({ gossip }) => gossip));
  return plans;
}

class Soak {
  readonly #plan: SoakPlan;
  readonly #plans: readonly NodePlan[];
  readonly #network: BadNetwork | null;
  readonly #nodes: (NodeProcess | null)[];
  readonly #random: () => number;
  /** The network's faults are drawn by themselves: they run beside the others. */
  readonly #networkRandom: () => number;
  readonly #faults: Record<Fault, number>;
  readonly #disk: SmallDisk | null;
  #load: Load | null = null;
  #longPauseLeft: boolean;

  constructor(plan: SoakPlan, network: BadNetwork | null, plans: readonly NodePlan[]) {
    this.#plan = plan;
    this.#network = network;
    this.#plans = plans;
    this.#nodes = plans.map(() => null);
    this.#random = seedrandom.alea(plan.seed);
    this.#networkRandom = seedrandom.alea(`${plan.seed} network`);
    const none = [...nodeFaults, ...networkFaults].map((kind) => [kind, 0]);
    this.#faults = Object.fromEntries(none) as Record<Fault, number>;
    this.#disk = whyNoSmallDisk() === null ? new SmallDisk(join(plan.dir, "disk")) : null;
    this.#longPauseLeft = plan.longPauseMs !== undefined;
  }

  get counts(): Omit<SoakResult, "wrong"> {
    const { acknowledged = 0, refused = 0, retried = 0 } = this.#load ?? {};
    return { acknowledged, refused, retried, faults: this.#faults };
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#plans.map((_, i) => this.#start(i)));
  }

  /** Writes and faults side by side, until the time is over and the last fault with it. */
  async run(): Promise<void> {
    const untilMs = performance.now() + this.#plan.ms;
    const nodes = this.#plans.map((_, i) => () => this.#nodes[i] ?? null);
    this.#load = new Load({ nodes, pauseMs: this.#plan.writePauseMs ?? 5 });
    await Promise.all([this.#nodeFaults(untilMs), this.#networkFaults(untilMs)]);
    this.#network?.heal();
    await this.#load.stop();
  }

  async #nodeFaults(untilMs: number): Promise<void> {
    while (performance.now() < untilMs && this.#load?.wrong === null) {
      await sleep(200 + this.#below(800));
      await this.#nodeFault();
      const { acknowledged, refused } = this.counts;
      const left = Math.max(0, (untilMs - performance.now()) / 1000);
      this.#plan.tell(
        `${acknowledged} writes acknowledged, ${refused} refused; ${left.toFixed(0)} s left`,
      );
    }
  }

  async #networkFaults(untilMs: number): Promise<void> {
    const network = this.#network;
    if (network === null) return;
    const draw = (n: number): number => Math.floor(this.#networkRandom() * n);
    while (performance.now() < untilMs) {
      await sleep(500 + draw(4000));
      if (network.hasWeather && draw(2) === 0) {
        const loss = 0.02 + this.#networkRandom() * 0.3;
        this.#note("weather", `${(loss * 100).toFixed(0)} % of packets lost`);
        network.weather({ loss, delayMs: [draw(10), 10 + draw(100)] });
      } else {
        // One node at least on each side.
        const groups: [number[], number[]] = [[0], [1]];
        for (let i = 2; i < this.#plans.length; i++) (groups[draw(2)] as number[]).push(i);
        this.#note("cut", groups.map((group) => group.join(",")).join(" | "));
        network.cut(groups);
      }
      await sleep(1000 + draw(8000));
      network.heal();
    }
  }

  /** What is wrong, or null: all acknowledged writes on all nodes, equal hashes, every row as it should be. */
  async verdict(): Promise<string | null> {
    const load = this.#load;
    if (load?.wrong !== null) return load?.wrong ?? "nothing was written";
    const untilMs = performance.now() + agreeMs;
    for (;;) {
      const states = await Promise.all(this.#running.map(stateOf));
      if (new Set(states).size === 1) break;
      if (performance.now() > untilMs) return `no agreement: ${states.join(" | ")}`;
      await sleep(100);
    }
    for (const node of this.#running) {
      this.#plan.tell(`${node.name}: ${memoryOf(node)}`);
      const missing = await load.missingOn(node);
      if (missing !== null) return missing;
    }
    return await this.#checkFiles();
  }

  /** The deep check needs the nodes stopped. */
  async #checkFiles(): Promise<string | null> {
    await Promise.all(this.#running.map((node) => node.end("SIGTERM")));
    for (const [i, { name, configFile }] of this.#plans.entries()) {
      const words = ["doctor", "-c", configFile, "--deep", "--json"];
      const set = this.#args(i);
      const { stdout, stderr } = await patina([...words, ...set]);
      if (stdout === "") return `${name}: ${stderr}`;
      const { findings } = JSON.parse(stdout) as { findings: { check: string; verdict: string }[] };
      const wrong = findings.find((one) => one.check === "database" && one.verdict !== "ok");
      if (wrong !== undefined) return `${name}: ${JSON.stringify(wrong)}`;
    }
    return null;
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((node) => node.end("SIGKILL")));
    await this.#load?.stop();
    this.#disk?.remove();
  }

  get #running(): NodeProcess[] {
    return this.#nodes.filter((node) => node?.running === true) as NodeProcess[];
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #note(kind: Fault, what: string): void {
    this.#faults[kind]++;
    this.#plan.tell(`${kind} ${what}`);
  }

  /** The first node's database is on a disk that can be filled. */
  #args(i: number): string[] {
    if (i !== 0 || this.#disk === null) return [];
    return ["--set", `db.path=${join(this.#disk.path, "n0.db")}`];
  }

  async #start(i: number): Promise<void> {
    const { name, configFile } = this.#plans[i] as NodePlan;
    const logFile = join(this.#plan.dir, `${name}.log`);
    const under = this.#network?.under(i) ?? [];
    const args = this.#args(i);
    this.#nodes[i] = await NodeProcess.start({ name, configFile, logFile, args, under });
  }

  async #nodeFault(): Promise<void> {
    const kind = nodeFaults[this.#below(nodeFaults.length)] as NodeFault;
    const i = kind === "full" ? 0 : this.#below(this.#plans.length);
    const node = this.#nodes[i] as NodeProcess;
    this.#note(kind, node.name);
    switch (kind) {
      case "kill":
        await node.end("SIGKILL");
        await sleep(this.#below(2000));
        await this.#start(i);
        break;
      case "pause":
        node.poke("SIGSTOP");
        await sleep(this.#pauseMs());
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
      case "rotate":
        await this.#rotate(i);
        break;
      case "slow": {
        const reader = await SlowReader.begin(
          node,
          "SELECT a.k, b.k FROM kept a, kept b LIMIT 500000",
        );
        await sleep(500 + this.#below(3000));
        reader.drop();
        break;
      }
      case "full":
        if (this.#disk === null) break;
        this.#disk.fill();
        await sleep(500 + this.#below(4000));
        this.#disk.makeRoom();
        break;
    }
  }

  #pauseMs(): number {
    const { longPauseMs } = this.#plan;
    if (longPauseMs === undefined || !this.#longPauseLeft) return 1000 + this.#below(4000);
    this.#longPauseLeft = false;
    return longPauseMs;
  }

  async #rotate(i: number): Promise<void> {
    const { dir } = this.#plan;
    const { name, configFile } = this.#plans[i] as NodePlan;
    const words = ["tls", "rotate", "--dir", dir, "--name", name];
    // The database is where the command line says, not the file.
    const env =
      i === 0 && this.#disk !== null ? { PATINA__DB__PATH: `${this.#disk.path}/n0.db` } : {};
    const { status, stderr } = await patina([...words, "-c", configFile], { env });
    if (status !== 0) this.#plan.tell(`rotate ${name}: ${stderr.trim()}`);
  }
}

/** Of the main process; empty where the system does not tell. */
function memoryOf({ pid }: NodeProcess): string {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const [now, most] = ["VmRSS", "VmHWM"].map(
      (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) / 1024,
    );
    return `${now?.toFixed(0)} MiB of memory now, ${most?.toFixed(0)} at the most`;
  } catch {
    return "memory not told";
  }
}
