/** The life of one node: how it refuses to start, reloads, is backed up, killed and stopped. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeStartError } from "../../runtime/cluster/node-process.ts";
import { plannedCluster, type TestCluster } from "./node-process.ts";
import { patina } from "./patina-process.ts";

const endless =
  "INSERT INTO kv SELECT 'never', max(x) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)";

async function refused(
  cluster: TestCluster,
  args: readonly string[] = [],
): Promise<NodeStartError> {
  const failure: unknown = await cluster.start(0, args).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NodeStartError);
  return failure as NodeStartError;
}

test("a node that cannot start says why in one line, with an exit code of its own", async () => {
  const cluster = await plannedCluster({ nodes: 1 });
  const { api, gossip } = cluster.plans[0] as { api: string; gossip: string };

  const mistyped = await refused(cluster, ["--set", "gosip.addr=127.0.0.1:1"]);
  expect(mistyped.message).toBe(
    "patina: --set: there is no setting gosip.addr; did you mean gossip.addr?",
  );
  expect(mistyped.exitCode).toBe(3);

  const untouched = join(cluster.dir, "untouched.db");
  const elsewhereDb = ["--set", `db.path=${untouched}`];
  const exposed = await refused(cluster, ["--set", "api.addr=0.0.0.0:0", ...elsewhereDb]);
  expect([exposed.exitCode, exposed.message]).toEqual([
    3,
    expect.stringContaining("open to everybody"),
  ]);

  const taken = createServer().listen(Number(api.split(":")[1]), "127.0.0.1");
  const inUse = await refused(cluster, elsewhereDb);
  taken.close();
  expect(existsSync(untouched)).toBe(false);
  expect([inUse.exitCode, inUse.message]).toEqual([
    1,
    expect.stringContaining(`${api}: the port is in use`),
  ]);

  const elsewhere = gossip.replace("127.0.0.1", "192.0.2.7");
  const noAddress = await refused(cluster, ["--set", `gossip.addr=${elsewhere}`]);
  const why = expect.stringContaining(`this machine has no address ${elsewhere}`) as unknown;
  expect([noAddress.exitCode, noAddress.message]).toEqual([1, why]);

  writeFileSync(join(cluster.dir, "schema.sql"), "CREATE TABLE a (b TEXT);");
  const schema = await refused(cluster);
  expect([schema.exitCode, schema.message]).toEqual([7, expect.stringContaining("schema.sql:1: ")]);
});

test("a reload takes over schema, tokens and log level, and what is wrong changes nothing", async () => {
  const cluster = await plannedCluster({ nodes: 1 });
  const node = await cluster.start(0);
  const { configFile } = cluster.plans[0] as { configFile: string };
  writeFileSync(
    join(cluster.dir, "schema.sql"),
    "CREATE TABLE kv (k TEXT PRIMARY KEY NOT NULL, v TEXT); CREATE TABLE more (k TEXT PRIMARY KEY NOT NULL);",
  );
  appendFileSync(configFile, 'level = "debug"\n');
  const { changes } = (await (await node.post("/v1/reload", {})).json()) as { changes: string[] };
  expect(changes).toEqual(["schema: 2 tables", "log level: debug"]);
  expect((await node.transact(["INSERT INTO more VALUES ('a')"])).version).toBe(1);

  const text = readFileSync(configFile, "utf8");
  writeFileSync(configFile, text.replace("level", "levle"));
  const wrong = await node.post("/v1/reload", {});
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({
    error: expect.stringContaining("did you mean log.level?"),
  });
  writeFileSync(configFile, text);
  const again = (await (await node.post("/v1/reload", {})).json()) as { changes: string[] };
  expect(again.changes).toEqual([]);
});

test("what runs under an idempotency key runs once, killed or not", async () => {
  const cluster = await plannedCluster({ nodes: 1 });
  let node = await cluster.start(0);
  const send = (body: string): Promise<Response> =>
    fetch(`${node.api}/v1/transactions`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": "order-7" },
      body,
    });
  const insert = "INSERT INTO kv VALUES (hex(randomblob(8)), ?)";
  const once = (): Promise<{ version: number }> =>
    send(JSON.stringify([[insert, ["x"]]])).then(
      (answer) => answer.json() as Promise<{ version: number }>,
    );
  const first = await once();
  expect(first).toMatchObject({ version: 1, results: [{ rows_affected: 1 }] });
  expect(await once()).toEqual(first);
  await node.end("SIGKILL");
  node = await cluster.start(0);
  expect(await once()).toEqual(first);
  const spelt = await send(JSON.stringify([{ params: ["x"], query: insert }], null, 2));
  expect(await spelt.json()).toEqual(first);

  for (const other of [[[insert, ["y"]]], [[insert, [["x"]]]], [[insert, ["x"]], "SELECT 1"]]) {
    const reused = await send(JSON.stringify(other));
    expect(reused.status).toBe(422);
    expect(await reused.json()).toMatchObject({ code: "key_reused", version: null });
  }
  expect(await node.rows("SELECT count(*) FROM kv")).toEqual([[1]]);
});

test("a backup of a running node is a new node's beginning", async () => {
  const cluster = await plannedCluster({ nodes: 2 });
  const node = await cluster.start(0);
  await node.transact(["INSERT INTO kv VALUES ('a', '1')"]);
  const file = join(cluster.dir, "copy.db");
  const backup = await patina(["backup", file, "--api-addr", node.api]);
  expect([backup.status, backup.stdout]).toEqual([
    0,
    `${file}: written; patina restore makes a new node from it\n`,
  ]);
  await node.transact(["INSERT INTO kv VALUES ('b', '2')"]);

  const running = await patina([
    "restore",
    file,
    "-c",
    (cluster.plans[0] as { configFile: string }).configFile,
  ]);
  expect([running.status, running.stderr]).toEqual([
    1,
    expect.stringContaining(`(process ${node.pid})`),
  ]);
  const { configFile } = cluster.plans[1] as { configFile: string };
  expect((await patina(["restore", file, "-c", configFile])).status).toBe(0);
  const second = await cluster.start(1);
  expect(second.actorId).not.toBe(node.actorId);
  await cluster.agree();
  expect(await second.rows("SELECT k FROM kv ORDER BY k")).toEqual([["a"], ["b"]]);
});

test("a killed node leaves nothing behind that keeps it from starting, amid an endless statement too", async () => {
  const cluster = await plannedCluster({ nodes: 1 });
  const node = await cluster.start(0);
  await node.transact(["INSERT INTO kv VALUES ('a', '1')"]);
  const lost = node.post("/v1/transactions", [endless]).catch(() => null);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await node.end("SIGKILL");
  expect(await lost).toBeNull();
  const again = await cluster.start(0);
  expect(await again.rows("SELECT k FROM kv")).toEqual([["a"]]);
  expect((await again.transact(["INSERT INTO kv VALUES ('b', '2')"])).version).toBe(2);
});

test("a stop in order ends with 0 within 10 s, whatever a client is at; a second signal ends it at once", async () => {
  const cluster = await plannedCluster({ nodes: 1 });
  const node = await cluster.start(0);
  const { dbPath } = cluster.plans[0] as { dbPath: string };
  expect(readFileSync(`${dbPath}.pid`, "utf8")).toBe(`${node.pid}\n`);
  const cut = node.post("/v1/transactions", [endless]).catch(() => null);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const from = performance.now();
  expect(await node.end("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(performance.now() - from).toBeLessThan(10_000);
  await cut;
  expect(existsSync(`${dbPath}.pid`)).toBe(false);

  const again = await cluster.start(0);
  const held = again.post("/v1/transactions", [endless]).catch(() => null);
  await new Promise((resolve) => setTimeout(resolve, 300));
  again.poke("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await again.end("SIGINT")).toEqual({ code: 130, signal: null });
  await held;
});
