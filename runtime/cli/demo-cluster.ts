/**
 * The second half of `patina demo`: a cluster of real processes on loopback, QUIC with certificates
 * made for the occasion and one SQLite file a node. It is written to through different nodes, one of
 * them is killed and comes back, and then all must hold the same rows.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runningPid } from "../agent/pid-file.ts";
import { type NodePlan, writeCluster } from "../cluster/cluster-files.ts";
import { NodeProcess, NodeStartError } from "../cluster/node-process.ts";
import { CliError, exitCodes, usageError } from "./exit-codes.ts";
import { formatCount, formatDuration, median, plural } from "./format.ts";
import type { Terminal } from "./terminal.ts";

/** More processes than these would only be slow on one machine. */
export const mostProcesses = 10;

export interface ClusterNode {
  readonly name: string;
  readonly actor_id: string;
  readonly gossip: string;
  readonly api: string;
  readonly rows: number;
  readonly hash: string;
}

/** Everything there is to tell about the cluster. */
export interface ClusterStory {
  readonly nodes: readonly ClusterNode[];
  /** All hold the same rows, and as many as were acknowledged. */
  readonly agreed: boolean;
  readonly acknowledged: number;
  /** From the answer to a write to its being on all nodes, in ms. */
  readonly spreadMs: { readonly median: number; readonly max: number };
  readonly killed: {
    readonly name: string;
    /** Rows that the others took meanwhile. */
    readonly missed: number;
    /** From its start until it held them, in ms. */
    readonly caughtUpMs: number;
  };
  readonly dir: string;
  readonly ui: string;
  readonly curl: string;
}

const schema = `CREATE TABLE services (
  name TEXT PRIMARY KEY NOT NULL,
  node TEXT,
  port INTEGER
);
`;
/** Written through the nodes in turn. */
const firstRows = 30;
/** Written while one node is dead. */
const missedRows = 50;
const agreeWithinMs = 30_000;
/** Says that a folder is one of these, so that nothing else is ever removed. */
const markerName = "patina-demo";

export class DemoCluster {
  readonly #terminal: Terminal;
  readonly #dir: string;
  readonly #count: number;
  #plans: readonly NodePlan[] = [];
  readonly #nodes: NodeProcess[] = [];
  #written = 0;
  #spread: number[] = [];

  /** @param dir the demo's folder; the cluster's is within. */
  constructor(dir: string, count: number, terminal: Terminal) {
    this.#dir = join(dir, "cluster");
    this.#count = Math.min(count, mostProcesses);
    this.#terminal = terminal;
  }

  /** Starts it, breaks it and proves that it holds together. @throws CliError */
  async prove(): Promise<ClusterStory> {
    await this.#prepare();
    await this.#startAll();
    await this.#write(firstRows, this.#nodes);
    this.#say(
      `${plural(firstRows, "row")} written through ${plural(this.#nodes.length, "node")} in turn; ` +
        `each was on all of them ${formatDuration(median(this.#spread))} after its answer (median)`,
    );
    const killed = await this.#killAndRestart();
    const nodes = await this.#agree();
    const [first] = this.#nodes;
    const api = first?.api ?? "";
    const agreed = nodes.every(
      ({ hash, rows }) => hash === nodes[0]?.hash && rows === this.#written,
    );
    return {
      nodes,
      agreed,
      acknowledged: this.#written,
      spreadMs: { median: median(this.#spread), max: Math.max(...this.#spread) },
      killed,
      dir: this.#dir,
      ui: `${api}/ui/`,
      curl: `curl -s ${api}/v1/queries -H 'content-type: application/json' -d '"SELECT * FROM services LIMIT 5"'`,
    };
  }

  /** Ends all processes in order. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#nodes.filter(({ running }) => running).map((node) => node.end("SIGTERM")),
    );
  }

  #say(text: string): void {
    this.#terminal.clearProgress();
    this.#terminal.talk(`  ${text}`);
  }

  async #prepare(): Promise<void> {
    const dir = this.#dir;
    const marker = join(dir, markerName);
    if (existsSync(dir)) {
      if (!existsSync(marker) && readdirSync(dir).length > 0) {
        throw usageError(`--dir: ${dir} is not of a demo; name another folder, or move it away`);
      }
      for (const name of readdirSync(dir).filter((file) => file.endsWith(".pid"))) {
        const pid = runningPid(join(dir, name.slice(0, -".pid".length)));
        if (pid === null) continue;
        throw usageError(
          `--dir: a node of another demo still runs there (process ${pid}); end it, or name another folder`,
        );
      }
      rmSync(dir, { recursive: true });
    }
    mkdirSync(dir, { recursive: true });
    writeFileSync(
      marker,
      "The nodes of `patina demo`. The next demo with this folder removes it.\n",
    );
    const names = Array.from({ length: this.#count }, (_, i) => `n${i}`);
    this.#plans = await writeCluster({ dir, names, schema, cluster: "demo" });
  }

  async #startAll(): Promise<void> {
    const { paintTalk } = this.#terminal;
    this.#terminal.talk("");
    this.#terminal.talk(
      `${paintTalk("bold", "a real cluster")}: ${this.#count} processes on loopback, QUIC with fresh certificates, one SQLite file each in ${this.#dir}`,
    );
    this.#terminal.progress("  starting…");
    const from = performance.now();
    this.#nodes.push(...(await Promise.all(this.#plans.map((plan) => this.#start(plan)))));
    for (const node of this.#nodes) await this.#knowsAll(node);
    this.#say(
      `${plural(this.#count, "node")} started and found each other in ${formatDuration(performance.now() - from)}`,
    );
  }

  async #start({ name, configFile }: NodePlan): Promise<NodeProcess> {
    try {
      return await NodeProcess.start({ name, configFile, logFile: join(this.#dir, `${name}.log`) });
    } catch (error) {
      if (!(error instanceof NodeStartError)) throw error;
      throw new CliError(exitCodes.failure, `node ${name} did not start: ${error.message}`);
    }
  }

  async #knowsAll(node: NodeProcess): Promise<void> {
    await this.#until(`${node.name} to know all others`, async () => {
      const { members } = await node.get<{ members: { alive: number } }>("/v1/status");
      return members.alive === this.#nodes.length;
    });
  }

  /** Each row through the next node, answered when every other has it. */
  async #write(count: number, through: readonly NodeProcess[]): Promise<void> {
    for (let i = 0; i < count; i++) {
      const node = through[i % through.length] as NodeProcess;
      const n = this.#written;
      const row = [`service-${n}`, node.name, 8000 + n];
      const sql = "INSERT INTO services (name, node, port) VALUES (?, ?, ?)";
      const everybody = through.length === this.#nodes.length;
      const from = performance.now();
      const answer = await node.transact(
        [[sql, row]],
        everybody ? "?wait=all&wait_timeout=10" : "",
      );
      const tookMs = performance.now() - from;
      if (answer.version === null) {
        const why = answer.results[0]?.error ?? "no version";
        throw new CliError(exitCodes.failure, `${node.name} did not take a row: ${why}`);
      }
      if (everybody) this.#spread.push(Math.max(0, tookMs - answer.time * 1000));
      this.#written++;
    }
  }

  async #killAndRestart(): Promise<ClusterStory["killed"]> {
    const at = this.#nodes.length - 1;
    const victim = this.#nodes[at] as NodeProcess;
    await victim.end("SIGKILL");
    const rest = this.#nodes.slice(0, at);
    await this.#write(missedRows, rest);
    this.#say(
      `${victim.name} was killed (kill -9 ${victim.pid}); the others took ${plural(missedRows, "row")} meanwhile`,
    );
    const from = performance.now();
    const back = await this.#start(this.#plans[at] as NodePlan);
    this.#nodes[at] = back;
    await this.#until(`${back.name} to catch up`, async () => {
      const { db } = await back.get<{ db: { rows: number } }>("/v1/status");
      return db.rows === this.#written;
    });
    const caughtUpMs = performance.now() - from;
    this.#say(`${back.name} was started again and had them ${formatDuration(caughtUpMs)} later`);
    return { name: victim.name, missed: missedRows, caughtUpMs };
  }

  /** The rows as SQL sees them, and the hash over rows and merge metadata. */
  async #agree(): Promise<ClusterNode[]> {
    const look = (): Promise<ClusterNode[]> =>
      Promise.all(
        this.#nodes.map(async (node) => {
          const { db } = await node.get<{ db: { state_hash: string } }>("/v1/status");
          const [[rows] = [0]] = await node.rows("SELECT count(*) FROM services");
          const { name, actorId, gossip, api } = node;
          return { name, actor_id: actorId, gossip, api, rows: Number(rows), hash: db.state_hash };
        }),
      );
    const until = performance.now() + agreeWithinMs;
    for (;;) {
      const nodes = await look();
      const same = nodes.every(({ hash }) => hash === nodes[0]?.hash);
      if (same || performance.now() > until) return nodes;
      await pause();
    }
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const until = performance.now() + agreeWithinMs;
    this.#terminal.progress(`  waiting for ${what}…`);
    while (!(await holds())) {
      if (performance.now() > until) {
        const seconds = agreeWithinMs / 1000;
        throw new CliError(
          exitCodes.timeout,
          `waited ${seconds} s for ${what}; ${this.#dir} has the logs`,
        );
      }
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 25));
}

/** The proof, and what to do next. */
export function clusterText(story: ClusterStory, once: boolean, terminal: Terminal): string[] {
  const { paint } = terminal;
  const { nodes, agreed, killed } = story;
  const mark = agreed ? paint("green", "✓") : paint("red", "✗");
  const words = agreed
    ? `All ${nodes.length} nodes hold the same ${formatCount(story.acknowledged)} rows, ${killed.name} included, which was killed amid the writes.`
    : "The nodes do not hold the same rows.";
  const width = Math.max(4, ...nodes.map(({ name }) => name.length));
  const line = (cells: readonly string[]): string =>
    `  ${(cells[0] ?? "").padEnd(width)}  ${(cells[1] ?? "").padStart(5)}  ${(cells[2] ?? "").padEnd(16)}  ${cells[3] ?? ""}`;
  const lines = [
    `${mark} ${paint("bold", words)}`,
    "",
    paint("dim", line(["node", "rows", "state hash", "API"])),
    ...nodes.map(({ name, rows, hash, api }) => line([name, formatCount(rows), hash, api])),
    "",
  ];
  if (once) return lines;
  return [
    ...lines,
    `  look    ${paint("cyan", story.ui)}  shows what happens on ${nodes[0]?.name ?? ""}`,
    `  ask     ${story.curl}`,
    `  kill    any of them: kill -9 its process, and see the others go on; logs are in ${story.dir}`,
    "",
    "The nodes run until you press Ctrl-C.",
  ];
}
