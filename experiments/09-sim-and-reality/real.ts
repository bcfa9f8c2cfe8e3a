/** The same scenarios with real processes on loopback: QUIC with certificates, one SQLite file each. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodePlan, writeCluster } from "../../runtime/cluster/cluster-files.ts";
import { NodeProcess } from "../../runtime/cluster/node-process.ts";

const schema = "CREATE TABLE kv (k TEXT PRIMARY KEY NOT NULL, v TEXT);\n";
const patienceMs = 60_000;
const pollMs = 50;

interface Member {
  readonly name: string;
  readonly state: string;
}

/** Starts a cluster in a folder of its own, hands it to `work`, and takes it away whatever happens. */
async function withCluster<Result>(
  nodes: number,
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), "patina-experiment-"));
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const cluster = new Cluster(dir, await writeCluster({ dir, names, schema }));
  try {
    await cluster.startAll();
    return await work(cluster);
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

class Cluster {
  readonly nodes: NodeProcess[] = [];
  readonly #dir: string;
  readonly #plans: readonly NodePlan[];

  constructor(dir: string, plans: readonly NodePlan[]) {
    this.#dir = dir;
    this.#plans = plans;
  }

  async startAll(): Promise<void> {
    const started = await Promise.allSettled(this.#plans.map((_, i) => this.#start(i)));
    for (const each of started) if (each.status === "fulfilled") this.nodes.push(each.value);
    for (const each of started) if (each.status === "rejected") throw each.reason as Error;
    await this.everybodyKnown();
  }

  async restart(i: number): Promise<void> {
    this.nodes[i] = await this.#start(i);
    await this.everybodyKnown();
  }

  async everybodyKnown(): Promise<void> {
    for (const node of this.nodes) {
      await until(
        async () =>
          (await membersOf(node)).filter(({ state }) => state === "alive").length ===
          this.#plans.length,
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.nodes.filter(({ running }) => running).map((node) => node.end("SIGKILL")),
    );
  }

  #start(i: number): Promise<NodeProcess> {
    const { name, configFile } = this.#plans[i] as NodePlan;
    return NodeProcess.start({ name, configFile, logFile: join(this.#dir, `${name}.log`) });
  }
}

export async function realCrashes(nodes: number, kills: number): Promise<number[]> {
  return await withCluster(nodes, async (cluster) => {
    const times: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const at = kill % nodes;
      const victim = cluster.nodes[at] as NodeProcess;
      const others = cluster.nodes.filter((node) => node !== victim);
      const killedMs = performance.now();
      await victim.end("SIGKILL");
      const down = async (node: NodeProcess): Promise<number> => {
        await until(async () => stateOf(await membersOf(node), victim.name) === "down");
        return performance.now() - killedMs;
      };
      times.push(...(await Promise.all(others.map(down))));
      await cluster.restart(at);
      // Another moment of the others' periods.
      await pause(500 + ((kill * 379) % 1000));
    }
    return times;
  });
}

/** From the answer's own commit until every other node has said that it applied it. */
export async function realSpread(nodes: number, commits: number): Promise<number[]> {
  return await withCluster(nodes, async (cluster) => {
    const times: number[] = [];
    const write = async (i: number): Promise<number> => {
      const node = cluster.nodes[i % nodes] as NodeProcess;
      const from = performance.now();
      const sql = "INSERT INTO kv (k, v) VALUES (?, ?)";
      const answer = await node.transact(
        [[sql, [`k${i}`, "x".repeat(100)]]],
        "?wait=all&wait_timeout=10",
      );
      const tookMs = performance.now() - from;
      if (answer.version === null)
        throw new Error(`${node.name}: ${answer.results[0]?.error ?? "no version"}`);
      return Math.max(0, tookMs - answer.time * 1000);
    };
    // The first ones compile code and shape the tree.
    for (let i = 0; i < 5 * nodes; i++) await write(i);
    for (let i = 0; i < commits; i++) {
      times.push(await write(5 * nodes + i));
      await pause(20);
    }
    return times;
  });
}

async function membersOf(node: NodeProcess): Promise<readonly Member[]> {
  return await node.get<readonly Member[]>("/v1/members");
}

function stateOf(members: readonly Member[], name: string): string {
  // One that is not listed has been forgotten: gone all the more.
  return members.find((member) => member.name === name)?.state ?? "down";
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end)
      throw new Error(`a cluster of processes took more than ${patienceMs / 1000} s`);
    await pause(pollMs);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
