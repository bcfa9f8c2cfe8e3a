/** New certificates for a running node. */
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
  const { fingerprint, pid } = printedJson(await patina([...words, "--json"]));
  expect(pid).toBeGreaterThan(0);
  expect(fingerprint).not.toBe(before);
  await expect.poll(() => shownBy(plan.gossip), { timeout: 20_000 }).toBe(fingerprint);

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
