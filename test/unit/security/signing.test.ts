import { sign, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { maxSealBytes } from "../../../core/wire/limits.ts";
import { Authors, maxCredentialsPerName } from "../../../runtime/security/authors.ts";
import {
  actorOf,
  makeCredential,
  ownershipOf,
  parseCredential,
} from "../../../runtime/security/credentials.ts";
import { SealCheck } from "../../../runtime/security/seal-check.ts";
import {
  chunkDigest,
  chunkMark,
  longChunkDigest,
  parseSeal,
  sealBytes,
  signedBytes,
  sliceBytes,
} from "../../../runtime/security/signing.ts";
import {
  clusterId,
  clusterName,
  type Fleet,
  makeFleet,
  sealed,
  type SigningNode,
} from "./fleet.ts";

let fleet: Fleet;
let alice: SigningNode;
let bob: SigningNode;
beforeAll(async () => {
  fleet = await makeFleet();
  alice = await fleet.node("alice");
  bob = await fleet.node("bob");
});

function authors(...known: SigningNode[]): Authors {
  const all = new Authors({ clusterId, cluster: clusterName, ca: fleet.authority.cert });
  all.load(known.map(({ credential }) => credential.bytes));
  return all;
}

function checker(...known: SigningNode[]): SealCheck {
  const keys = authors(...known);
  return new SealCheck({
    clusterId,
    find: (keyId) => keys.find(keyId),
    giveWay: () => Promise.resolve(),
  });
}

describe("seals", () => {
  test("a seal is as long as it says, and within the limit of the wire", () => {
    expect(alice.write(1)[0]?.seal).toHaveLength(sealBytes);
    expect(sealBytes).toBeLessThanOrEqual(maxSealBytes);
  });

  test("the versions of several authors in any order are proven by one signature each", async () => {
    const check = checker(alice, bob);
    const chunks = [...alice.write(40), ...bob.write(30)].sort((a, b) => b.version - a.version);
    expect(await check.check(chunks)).toEqual(chunks.map(() => null));
    expect(check.counts).toEqual({ proven: 70, signatures: 2, remembered: 0 });
  });

  test("each version stands on its own, also with those around it missing", async () => {
    const check = checker(alice);
    const chunks = alice.write(9).filter((_, i) => i % 3 === 1);
    expect(await check.check(chunks)).toEqual([null, null, null]);
    expect(check.counts.signatures).toBe(3);
  });

  test("what was proven is known again, with this seal alone", async () => {
    const check = checker(alice);
    const [chunk] = alice.write(1) as [Chunk];
    await check.check([chunk]);
    expect(await check.check([chunk, chunk])).toEqual([null, null]);
    expect(check.counts).toMatchObject({ signatures: 1, remembered: 2 });
    const seal = Uint8Array.from(chunk.seal as Uint8Array);
    seal[sealBytes - 1] = (seal[sealBytes - 1] as number) ^ 1;
    expect(await check.check([{ ...chunk, seal }])).toEqual([
      expect.stringContaining("does not hold"),
    ]);
  });

  test.each<[string, (chunk: Chunk) => Chunk]>([
    ["the payload", (chunk) => ({ ...chunk, payload: Uint8Array.of(1, 2, 4) })],
    ["the version", (chunk) => ({ ...chunk, version: chunk.version + 1 })],
    ["the stamp", (chunk) => ({ ...chunk, hlc: { ms: chunk.hlc.ms, counter: 1 } })],
    ["the place", (chunk) => ({ ...chunk, index: 1, count: 2 })],
    ["the number of chunks", (chunk) => ({ ...chunk, count: 2 })],
    ["the link", (chunk) => ({ ...chunk, seal: flipped(chunk.seal as Uint8Array, 9) })],
    ["the signature", (chunk) => ({ ...chunk, seal: flipped(chunk.seal as Uint8Array, 60) })],
  ])("a change of %s is found", async (_, change) => {
    const [chunk] = alice.write(1) as [Chunk];
    const [why] = await checker(alice).check([change(chunk)]);
    expect(why).toBe("the signature of alice does not hold");
  });

  test("neither an unsigned version nor another's seal, key or cluster gets through", async () => {
    const check = checker(alice, bob);
    const [chunk] = alice.write(1) as [Chunk];
    const { seal: _, ...bare } = chunk;
    const forged = sealed(bob.signer, { ...bare, actor: alice.actor });
    const asBob = { ...chunk, actor: bob.actor };
    const stranger = await fleet.node("carol");
    const elsewhere = await fleet.node("alice", alice.credential.salt, clusterId + 1);
    const whys = await check.check([
      bare,
      { ...chunk, seal: Uint8Array.of(1, 2) },
      forged,
      asBob,
      ...stranger.write(1),
      { ...(elsewhere.write(1)[0] as Chunk), actor: alice.actor },
    ]);
    expect(whys).toEqual([
      "it is not signed",
      "its seal is of no known format",
      "nobody proves whose key signed it",
      "it is signed by alice, who is another author",
      "nobody proves whose key signed it",
      "nobody proves whose key signed it",
    ]);
  });

  test("a bad version among good ones of its run spoils itself alone", async () => {
    const check = checker(alice);
    const chunks = alice.write(7);
    for (const bad of [0, 3, 6]) {
      chunks[bad] = { ...(chunks[bad] as Chunk), payload: Uint8Array.of(9) };
    }
    const whys = await check.check(chunks);
    expect(whys.map((why) => why === null)).toEqual([false, true, true, false, true, true, false]);
  });

  test("another author cannot vouch for a version by linking to it", async () => {
    const check = checker(alice, bob);
    // Bob's signer believes that the forged version was its own last one: it signs a link to it.
    const [real] = alice.write(1) as [Chunk];
    const forged = { ...real, payload: Uint8Array.of(6, 6, 6) };
    const digest = chunkDigest(
      clusterId,
      parseSeal(real.seal as Uint8Array)?.link as Buffer,
      forged,
    );
    const link = Buffer.from(chunkMark(digest, real.seal as Uint8Array), "latin1");
    const plain = { ...real, actor: bob.actor };
    const body = chunkDigest(clusterId, link, plain);
    const seal = Buffer.alloc(sealBytes);
    seal[0] = 1;
    Buffer.from(bob.credential.keyId, "hex").copy(seal, 1);
    link.copy(seal, 9);
    sign(null, signedBytes(body), bob.tls.key).copy(seal, 33);
    const whys = await check.check([{ ...plain, seal }, forged]);
    expect(whys).toEqual([null, "the signature of alice does not hold"]);
  });

  test("long payloads are hashed slice by slice to the same digest, and give way between", async () => {
    const link = new Uint8Array(24).fill(5);
    for (const length of [sliceBytes, sliceBytes + 1, 3 * sliceBytes, 3 * sliceBytes + 77]) {
      const payload = new Uint8Array(length).fill(6);
      const chunk = { ...(alice.write(1)[0] as Chunk), payload };
      let gaveWay = 0;
      const digest = await longChunkDigest(clusterId, link, chunk, async () => {
        gaveWay++;
        // What others hash meanwhile changes nothing.
        chunkDigest(clusterId, link, alice.write(1)[0] as Chunk);
      });
      expect(digest).toEqual(chunkDigest(clusterId, link, chunk));
      expect(gaveWay).toBe(Math.ceil(length / sliceBytes) - 1);
    }
  });

  test("large payloads are sealed like small ones", async () => {
    const [chunk] = alice.write(1, new Uint8Array(200_000).fill(3)) as [Chunk];
    expect(await checker(alice).check([chunk])).toEqual([null]);
    const payload = Uint8Array.from(chunk.payload);
    payload[150_000] = 4;
    expect(await checker(alice).check([{ ...chunk, payload }])).not.toEqual([null]);
  });
});

describe("credentials", () => {
  test("an actor is bound to cluster, name and salt", () => {
    const salt = new Uint8Array(16).fill(1);
    expect(actorOf(1, "a", salt)).not.toBe(actorOf(2, "a", salt));
    expect(actorOf(1, "a", salt)).not.toBe(actorOf(1, "b", salt));
    expect(actorOf(1, "a", salt)).not.toBe(actorOf(1, "a", new Uint8Array(16)));
    expect(actorOf(1, "a", salt)).toBe("c83ef40bdc37804905bde24a4c156aae");
  });

  test("a new certificate of the same name signs for the same actor, under another key", async () => {
    const next = await fleet.node("alice", alice.credential.salt);
    expect(next.actor).toBe(alice.actor);
    expect(next.credential.keyId).not.toBe(alice.credential.keyId);
    expect(await checker(alice, next).check([...alice.write(2), ...next.write(2)])).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  test("a node with another name cannot take the actor", async () => {
    const mallory = await fleet.node("mallory", alice.credential.salt);
    expect(mallory.actor).not.toBe(alice.actor);
  });

  test("strangers, other clusters, authorities and too many of one name prove nothing", async () => {
    const known = authors();
    const stranger = await (await makeFleet()).node("alice");
    expect(known.learn(stranger.credential.bytes)).toMatchObject({
      type: "refused",
      why: "its certificate is not of this cluster's authority",
    });
    const other = await (await makeFleet("other")).node("alice");
    expect(known.learn(other.credential.bytes)).toMatchObject({ type: "refused" });
    const ca = new X509Certificate(fleet.authority.cert);
    const ofAuthority = makeCredential(clusterId, ca, new Uint8Array(16));
    expect(known.learn(ofAuthority.bytes)).toMatchObject({ type: "refused" });
    expect(known.learn(Uint8Array.of(1, 2, 3))).toMatchObject({ type: "refused" });
    for (let i = 0; i < maxCredentialsPerName; i++) {
      const salt = Buffer.alloc(16);
      salt.writeUInt32BE(i);
      const many = makeCredential(clusterId, bob.credential.certificate, salt);
      expect(known.learn(many.bytes).type).toBe("learnt");
    }
    expect(known.learn(bob.credential.bytes)).toMatchObject({ type: "refused" });
    expect(known.learn(alice.credential.bytes)).toMatchObject({ type: "learnt" });
    expect(known.learn(alice.credential.bytes)).toMatchObject({ type: "known" });
  });

  test("a credential comes back as it was written", () => {
    const read = parseCredential(clusterId, alice.credential.bytes);
    expect(read.actor).toBe(alice.actor);
    expect(read.keyId).toBe(alice.credential.keyId);
    expect([read.name, read.cluster]).toEqual(["alice", clusterName]);
  });

  test("a database says whether its actor belongs to the node's certificate", async () => {
    const own = alice.credential.certificate;
    const stored = [Uint8Array.of(0), bob.credential.bytes, alice.credential.bytes];
    const told = (actor = alice.actor, certificate = own, credentials = stored) =>
      ownershipOf(clusterId, actor, certificate, credentials);
    expect(told()).toMatchObject({ type: "owned", fresh: false });
    const next = await fleet.node("alice", alice.credential.salt);
    const renewed = told(alice.actor, next.credential.certificate);
    expect(renewed).toMatchObject({ type: "owned", fresh: true });
    expect(renewed.type === "owned" && renewed.credential.actor).toBe(alice.actor);
    expect(told(alice.actor, bob.credential.certificate)).toEqual({
      type: "renamed",
      name: "alice",
    });
    expect(told(actorId("9".repeat(32)))).toEqual({ type: "unproven" });
    expect(told(alice.actor, own, [])).toEqual({ type: "unproven" });
  });
});

function flipped(seal: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(seal);
  copy[at] = (copy[at] as number) ^ 0x80;
  return copy;
}
