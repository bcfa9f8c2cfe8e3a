/** A peer with a certificate of the cluster that means ill: garbage on every channel, and changes in others' names. */
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { actorId, address } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";
import { encodeChunks } from "../../core/wire/changes.ts";
import { encodePush } from "../../core/wire/gossip-messages.ts";
import { createTransport } from "../../runtime/net/create-transport.ts";
import type { Channel, Transport } from "../../runtime/net/transport.ts";
import { encodeCredentials } from "../../runtime/security/credential-messages.ts";
import { makeCredential } from "../../runtime/security/credentials.ts";
import { Signer } from "../../runtime/security/signing.ts";
import { plannedCluster, type TestCluster } from "./node-process.ts";

/** `writeCluster` gives its clusters this number. */
const clusterId = 0;

async function mallory(cluster: TestCluster): Promise<Transport> {
  const file = (name: string): string => readFileSync(join(cluster.dir, name), "utf8");
  return await createTransport({
    listen: cluster.plans[2]?.gossip as string,
    clusterId,
    tls: { ca: file("ca.pem"), cert: file("n2.pem"), key: file("n2.key") },
    kind: "auto",
    events: {
      message: () => {},
      unreachable: () => {},
      rtt: () => {},
      datagramBytes: () => {},
      rejected: () => {},
    },
  });
}

function write(actor: string, version: number, key: string): Chunk {
  const cells = [{ column: "v", value: "evil" }];
  const [payload] = encodeChunks([{ table: "kv", key: [key], causalLength: 1, cells }], 1e6);
  const hlc = { ms: Date.now(), counter: 0 };
  return {
    actor: actorId(actor),
    version,
    index: 0,
    count: 1,
    hlc,
    payload: payload as Uint8Array,
  };
}

test("garbage brings no node down, and nothing in another's name is taken or passed on", async () => {
  const cluster = await plannedCluster();
  const [a, b] = [await cluster.start(0), await cluster.start(1)];
  await a.transact([["INSERT INTO kv VALUES ('good', '1')", []]]);
  await cluster.agree();
  const transport = await mallory(cluster);
  const to = address(cluster.plans[0]?.gossip as string);
  const send = (channel: Channel, bytes: Uint8Array, reliable = true): void =>
    transport.send(to, channel, reliable, bytes);

  for (const channel of ["swim", "gossip", "sync", "host"] as const) {
    for (let i = 0; i < 150; i++) {
      const bytes = new Uint8Array(randomBytes(1 + ((i * 37) % 600)));
      // Some look like messages at first: a version, and any kind.
      if (i % 2 === 0) bytes.set([1, i % 80].slice(0, bytes.length));
      send(channel, bytes, channel !== "swim");
    }
    // Lengths far past what follows.
    send(channel, Uint8Array.of(1, 67, 1, 255, 255, 255, 255, 255, 255, 127));
  }
  const certificate = new X509Certificate(readFileSync(join(cluster.dir, "n2.pem")));
  const privateKey = createPrivateKey(readFileSync(join(cluster.dir, "n2.key"), "utf8"));
  const { publicKey } = certificate;
  const signer = new Signer(clusterId, { privateKey, publicKey });
  const own = makeCredential(clusterId, certificate, randomBytes(16));
  send("host", encodeCredentials([own.bytes]));
  const unsigned = write(a.actorId, 2, "unsigned");
  const forged = write(b.actorId, 1, "forged");
  send("gossip", encodePush(unsigned, 1));
  send("gossip", encodePush({ ...forged, seal: signer.seal(forged) }, 1));
  await sleep(3500);

  const answer = await b.transact([["INSERT INTO kv VALUES ('after', '1')", []]], "?wait=1");
  expect(answer.version).toBe(1);
  await cluster.agree();
  for (const node of [a, b]) {
    expect(await node.rows("SELECT k FROM kv ORDER BY k")).toEqual([["after"], ["good"]]);
  }
  expect(cluster.log(0)).toContain("what no signature proves was turned away");
  // What it writes in its own name is its right: it is a member.
  const honest = write(own.actor, 1, "own");
  const push = encodePush({ ...honest, seal: signer.seal(honest) }, 1);
  const shows = async (): Promise<unknown> => {
    // What it sends is not looked at for a while after what it did: it says it again.
    send("gossip", push);
    return await a.rows("SELECT count(*) FROM kv WHERE k = 'own'");
  };
  await expect.poll(shows, { timeout: 100_000, interval: 500 }).toEqual([[1]]);
  await transport.close(0);
}, 180_000);

test("a node that signs does not take up a database that was written without signatures", async () => {
  const cluster = await plannedCluster({ nodes: 1 });
  const plain = await cluster.start(0, ["--set", "gossip.sign=false"]);
  await plain.transact([["INSERT INTO kv VALUES ('a', '1')", []]]);
  await plain.end("SIGTERM");
  await expect(cluster.start(0)).rejects.toThrow(/holds versions without signatures/);
});
