/** New certificates for a running node. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { readCertificate } from "../../runtime/security/certificate-info.ts";
import { startedCluster } from "./node-process.ts";
import { patina, printedJson } from "./patina-process.ts";

test("a running node takes new certificates over, and goes on with its peers and its writes", async () => {
  const cluster = await startedCluster({ nodes: 2 });
  const [a, b] = [cluster.node(0), cluster.node(1)];
  const [plan] = cluster.plans;
  if (plan === undefined) throw new Error("there is a plan a node");
  const insert = (key: string): Promise<unknown> =>
    a.transact([["INSERT INTO kv VALUES (?, '1')", [key]]], "?wait=all");
  await insert("before");
  const before = await shownBy(plan.gossip);

  const words = ["tls", "rotate", "--dir", cluster.dir, "--name", plan.name, "-c", plan.configFile];
  const { fingerprint, pid, changes } = printedJson(await patina([...words, "--json"]));
  expect(pid).toBe(a.pid);
  expect(changes).toEqual(["certificates"]);
  expect(fingerprint).not.toBe(before);
  // The command ends when the node has them.
  expect(await shownBy(plan.gossip)).toBe(fingerprint);

  await insert("after");
  expect(await b.rows("SELECT count(*) FROM kv")).toEqual([[2]]);
  // Whoever comes later meets the new one.
  await b.end("SIGKILL");
  await a.transact([["INSERT INTO kv VALUES ('alone', '1')", []]]);
  await cluster.start(1);
  await cluster.agree();
  expect(await cluster.node(1).rows("SELECT count(*) FROM kv")).toEqual([[3]]);

  const wrong = await patina(words.map((word) => (word === plan.name ? "n1" : word)));
  expect(wrong.stderr).toContain(`the node ${plan.name}, not of n1`);
  expect(wrong.status).toBe(2);
});

test("under load, new certificates on all nodes cost no connection and no write", async () => {
  const cluster = await startedCluster();
  for (const [i, node] of cluster.nodes.entries())
    await node.transact([["INSERT INTO kv VALUES (?, '1')", [`first/${i}`]]], "?wait=all");
  const shaken = async (): Promise<number[]> =>
    await Promise.all(cluster.nodes.map((node) => counterOf(node.api, "transport_handshakes")));
  // Two that dialled each other at the same moment may still be settling which connection they keep.
  let before = await shaken();
  for (let calm = 0; calm < 6; ) {
    await setTimeout(500);
    const now = await shaken();
    calm = now.join() === before.join() ? calm + 1 : 0;
    before = now;
  }
  const load = { over: false };
  const writers = cluster.nodes.map(async (node, i) => {
    let n = 0;
    for (; !load.over; n++) {
      const insert = ["INSERT INTO kv VALUES (?, '1')", [`${i}/${n}`]];
      const { version, peers } = await node.transact([insert], "?wait=all");
      expect(version).toBeGreaterThan(n);
      expect(peers).toEqual({ wanted: 2, applied: 2 });
    }
    return n;
  });
  for (const { name, configFile } of cluster.plans) {
    const words = ["tls", "rotate", "--dir", cluster.dir, "--name", name, "-c", configFile];
    const rotated = await patina(words);
    expect([rotated.status, rotated.stderr]).toEqual([
      0,
      expect.stringContaining("has taken them over"),
    ]);
  }
  load.over = true;
  const written = (await Promise.all(writers)).reduce((sum, n) => sum + n, 3);
  expect(written).toBeGreaterThan(10);
  await cluster.agree();
  expect(await cluster.node(2).rows("SELECT count(*) FROM kv")).toEqual([[written]]);
  expect(await shaken()).toEqual(before);
});

test("what keeps a node from taking new certificates over is told by the command", async () => {
  const cluster = await startedCluster({ nodes: 1 });
  const [plan] = cluster.plans;
  if (plan === undefined) throw new Error("there is a plan a node");
  const words = ["tls", "rotate", "--name", plan.name, "-c", plan.configFile];
  const before = await shownBy(plan.gossip);

  // Of another authority: not one file is touched.
  const foreign = join(cluster.dir, "foreign");
  const init = await patina(["tls", "init", "--dir", foreign, "--cluster", "loopback"]);
  const address = ["--address", "127.0.0.1"];
  const node = await patina(["tls", "node", "--dir", foreign, "--name", plan.name, ...address]);
  expect([init.status, node.status]).toEqual([0, 0]);
  const file = readFileSync(join(cluster.dir, `${plan.name}.pem`), "utf8");
  const stranger = await patina([...words, "--dir", foreign]);
  expect([stranger.status, stranger.stderr]).toEqual([2, expect.stringContaining("authority")]);
  expect(readFileSync(join(cluster.dir, `${plan.name}.pem`), "utf8")).toBe(file);

  rmSync(join(cluster.dir, "schema.sql"));
  const refused = await patina([...words, "--dir", cluster.dir]);
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/goes on with the old ones: db.schema_paths: .*no such file/),
  ]);
  expect(await shownBy(plan.gossip)).toBe(before);
});

async function counterOf(api: string, name: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text();
  return Number(new RegExp(`^patina_${name}_total (\\d+)`, "m").exec(text)?.[1]);
}

/** The fingerprint of the certificate that a node shows to whoever connects. */
function shownBy(gossip: string): Promise<string> {
  const [host, port] = gossip.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["patina/1"] },
      () => {
        const shown = socket.getPeerX509Certificate();
        socket.destroy();
        if (shown === undefined) reject(new Error("it shows no certificate"));
        else resolve(readCertificate(shown.raw).fingerprint);
      },
    );
    socket.on("error", reject);
  });
}
