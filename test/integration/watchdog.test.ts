/** What stands still in a real node: it is told, the process ends so that a service manager starts it again, and nothing is lost. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { NodeProcess } from "../../runtime/cluster/node-process.ts";
import { plannedCluster, type TestCluster } from "./node-process.ts";

const watchful = { "watchdog.stuck_ms": 1000, "watchdog.restart": true };

/** A module that runs first in every thread: the network thread stands still for ever once a file is there. */
const stuckOnDemand = (file: string): string => `
import { existsSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
if (!isMainThread && workerData?.gossip !== undefined) {
  setInterval(() => {
    if (existsSync(${JSON.stringify(file)})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }, 50);
}
`;

async function startWith(cluster: TestCluster, env: NodeJS.ProcessEnv): Promise<NodeProcess> {
  const [plan] = cluster.plans;
  if (plan === undefined) throw new Error("there is a plan a node");
  const { name, configFile } = plan;
  const node = await NodeProcess.start({ name, configFile, logFile: cluster.logFile(0), env });
  onTestFinished(async () => {
    if (node.running) await node.end("SIGKILL");
  });
  return node;
}

test("a network thread that stands still ends the node, and its next start has everything", async () => {
  const cluster = await plannedCluster({ nodes: 1, settings: watchful });
  const [module, file] = [join(cluster.dir, "stuck.mjs"), join(cluster.dir, "now")];
  writeFileSync(module, stuckOnDemand(file));
  const node = await startWith(cluster, { NODE_OPTIONS: `--import=${module}` });
  expect((await node.transact(["INSERT INTO kv VALUES ('a', '1')"])).version).toBe(1);
  writeFileSync(file, "");
  expect(await node.exited).toEqual({ code: 1, signal: null });
  expect(cluster.log(0)).toMatch(/the network thread stands still/);
  expect(cluster.log(0)).toMatch(/is stuck: the node ends, to be started again/);

  const again = await cluster.start(0);
  expect(await again.rows("SELECT k FROM kv")).toEqual([["a"]]);
  expect((await again.transact(["INSERT INTO kv VALUES ('b', '1')"])).version).toBe(2);
});

test.skipIf(process.platform !== "linux")(
  "a store process that stands still ends the node; the next start is not kept out by it (found by /proc)",
  async () => {
    const cluster = await plannedCluster({ nodes: 1, settings: watchful });
    const node = await cluster.start(0);
    expect((await node.transact(["INSERT INTO kv VALUES ('a', '1')"])).version).toBe(1);
    const store = childrenOf(node.pid).find((pid) => commandOf(pid).includes("store-process"));
    if (store === undefined) throw new Error("the node has a store process");
    process.kill(store, "SIGSTOP");
    // One with a time of its own would be cut off at that.
    const insert = "INSERT INTO kv VALUES ('b', '1')";
    const lost = node.transact([insert], "?timeout=0").catch(() => "no answer");
    expect(await node.exited).toEqual({ code: 1, signal: null });
    expect(await lost).toBe("no answer");
    expect(cluster.log(0)).toMatch(/the store process stands still/);

    const again = await cluster.start(0);
    expect(await again.rows("SELECT k FROM kv")).toEqual([["a"]]);
    expect((await again.transact(["INSERT INTO kv VALUES ('c', '1')"])).version).toBe(2);
    expect(commandOf(store)).toBe("");
  },
);

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && statusOf(pid, "PPid") === String(parent));
}

function statusOf(pid: number, field: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return new RegExp(`^${field}:\\s+(\\S+)`, "m").exec(text)?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Empty when it has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
