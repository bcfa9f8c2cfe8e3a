/** Clusters of real nodes on loopback for tests: each node a process, in a folder that goes with the test. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  type ClusterPlan,
  type NodePlan,
  writeCluster,
} from "../../runtime/cluster/cluster-files.ts";
import { NodeProcess } from "../../runtime/cluster/node-process.ts";
import type { BadNetwork } from "../chaos/network.ts";
import { stateOf } from "../chaos/node-state.ts";

export interface TestClusterOptions {
  readonly nodes?: number;
  /** CREATE statements. Default: a table `kv (k, v)`. */
  readonly schema?: string;
  readonly settings?: ClusterPlan["settings"];
  readonly plaintext?: boolean;
  /** What is between the nodes, in place of loopback; goes with the test. */
  readonly network?: BadNetwork;
}

export const kvSchema = "CREATE TABLE kv (k TEXT PRIMARY KEY NOT NULL, v TEXT);";

export class TestCluster {
  readonly dir: string;
  readonly plans: readonly NodePlan[];
  readonly #nodes: (NodeProcess | null)[];
  readonly #network: BadNetwork | null;

  constructor(dir: string, plans: readonly NodePlan[], network: BadNetwork | null = null) {
    this.dir = dir;
    this.plans = plans;
    this.#network = network;
    this.#nodes = plans.map(() => null);
  }

  /** Those that run. */
  get nodes(): readonly NodeProcess[] {
    return this.#nodes.filter((node) => node?.running === true) as NodeProcess[];
  }

  node(i: number): NodeProcess {
    const node = this.#nodes[i];
    if (node?.running !== true) throw new Error(`node ${i} does not run`);
    return node;
  }

  async start(i: number, args: readonly string[] = []): Promise<NodeProcess> {
    const plan = this.plans[i] as NodePlan;
    const { name, configFile } = plan;
    const under = this.#network?.under(i) ?? [];
    const logFile = this.logFile(i);
    const node = await NodeProcess.start({ name, configFile, logFile, args, under });
    this.#nodes[i] = node;
    return node;
  }

  logFile(i: number): string {
    return join(this.dir, `${(this.plans[i] as NodePlan).name}.log`);
  }

  /** The node at a place, whichever process it is at the time; null while it does not run. */
  at(i: number): () => NodeProcess | null {
    return () => (this.#nodes[i]?.running === true ? this.#nodes[i] : null);
  }

  log(i: number): string {
    return readFileSync(this.logFile(i), "utf8");
  }

  /** Waits until all that run hold the same rows; says what differs when `timeoutMs` is over. */
  async agree(timeoutMs = 20_000): Promise<string> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const states = await Promise.all(this.nodes.map(stateOf));
      const [first] = states;
      if (first !== undefined && states.every((state) => state === first)) return first;
      if (performance.now() > until) throw new Error(`no agreement: ${states.join(" | ")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends all that runs and removes the folder. */
  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Writes the files and starts no node. The folder and whatever runs then go with the test. */
export async function plannedCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "patina-test-"));
  const count = options.nodes ?? 3;
  const { network } = options;
  // After the cluster's own end, which is registered later.
  if (network !== undefined) onTestFinished(() => network.close());
  const plans = await writeCluster({
    dir,
    names: Array.from({ length: count }, (_, i) => `n${i}`),
    schema: options.schema ?? kvSchema,
    // What is in a network of its own is asked from outside of it.
    settings: { ...(network === undefined ? {} : { "api.open": true }), ...options.settings },
    ...(options.plaintext === undefined ? {} : { plaintext: options.plaintext }),
    ...(network === undefined ? {} : { place: (i: number) => network.place(i) }),
  });
  network?.connect(plans.map(({ gossip }) => gossip));
  const cluster = new TestCluster(dir, plans, network ?? null);
  onTestFinished(() => cluster.dispose());
  return cluster;
}

/** All nodes are ready and know each other. */
export async function startedCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await plannedCluster(options);
  await Promise.all(cluster.plans.map((_, i) => cluster.start(i)));
  const until = performance.now() + 30_000;
  for (const node of cluster.nodes) {
    for (;;) {
      const { members } = await node.get<{ members: { alive: number } }>("/v1/status");
      if (members.alive === cluster.plans.length) break;
      if (performance.now() > until) throw new Error(`${node.name} knows ${members.alive} members`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return cluster;
}
