import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { decodeMessage } from "../../../core/wire/envelope.ts";
import { encodePrune, encodePush } from "../../../core/wire/gossip-messages.ts";
import { encodeRepair } from "../../../core/wire/repair-messages.ts";
import {
  encodeChunks,
  encodeDone,
  maxSyncBytes,
  syncDecoders,
} from "../../../core/wire/sync-messages.ts";
import type { Peer } from "../../../runtime/net/transport.ts";
import { encodeCredentials } from "../../../runtime/security/credential-messages.ts";
import { proofWaitMs } from "../../../runtime/security/gate.ts";
import { chunkCost, turnCost } from "../../../runtime/security/pace.ts";
import { Sealing } from "../../../runtime/security/sealing.ts";
import { sliceBytes } from "../../../runtime/security/signing.ts";
import { clusterId, clusterName, type Fleet, makeFleet, type SigningNode } from "./fleet.ts";

let fleet: Fleet;
let alice: SigningNode;
let bob: SigningNode;
beforeAll(async () => {
  fleet = await makeFleet();
  alice = await fleet.node("alice");
  bob = await fleet.node("bob");
});

const peer: Peer = { address: "10.0.0.1:1" as Address, name: "carol" };
const other: Peer = { address: "10.0.0.2:1" as Address, name: "dave" };

/** A host's end of signing, with what comes out of it. */
function host(known: readonly SigningNode[], others = 4) {
  const delivered: Uint8Array[] = [];
  const followed: boolean[] = [];
  const rejected: string[] = [];
  const sent: { to: Address; bytes: Uint8Array }[] = [];
  const saved: Uint8Array[] = [];
  const clock = { ms: 1000 };
  const sealing = new Sealing({
    clusterId,
    cluster: clusterName,
    ca: fleet.authority.cert,
    credentials: known.map(({ credential }) => credential.bytes),
    nowMs: () => clock.ms,
    deliver: (_, channel, bytes, more) => {
      expect(["gossip", "sync"]).toContain(channel);
      delivered.push(bytes);
      followed.push(more);
    },
    rejected: (from, why, count) => rejected.push(`${from.name}: ${why} (${count})`),
    others: () => others,
    send: (to, bytes) => sent.push({ to, bytes }),
    save: (_, credential) => saved.push(credential),
  });
  const settled = () => vi.waitFor(() => expect(sealing.stats().waiting).toBe(0), 5000);
  return { sealing, delivered, followed, rejected, sent, saved, clock, settled };
}

const push = (chunk: Chunk) => encodePush(chunk, 1);

describe("the gate", () => {
  test("what carries no versions goes straight through", () => {
    const { sealing, delivered } = host([]);
    sealing.message(peer, "gossip", encodePrune());
    expect(delivered).toEqual([encodePrune()]);
  });

  test("a turn of the event loop checks no more than its bound, over all peers and channels", async () => {
    const { sealing, delivered, settled } = host([alice]);
    const bytes = 30_000;
    const chunks = alice.write(80, new Uint8Array(bytes));
    chunks.forEach((chunk, i) => {
      if (i % 2 === 0) sealing.message(peer, "gossip", push(chunk));
      else sealing.message(other, "sync", encodeChunks(1, [chunk]));
    });
    const turns: number[] = [];
    while (delivered.length < chunks.length) {
      const before = delivered.length;
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(delivered.length - before);
    }
    await settled();
    // One message more may be begun, and each of the two may hand on what it had checked in a turn before.
    const most = 3 * (Math.ceil(turnCost / bytes) + 1);
    expect(Math.max(...turns)).toBeLessThanOrEqual(most);
    expect(turns.filter((n) => n > 0).length).toBeGreaterThanOrEqual(chunks.length / most);
  });

  test("it is behind while more has come than a turn checks, and not while it waits for a proof", async () => {
    const { sealing, delivered, settled } = host([alice]);
    expect(sealing.behind).toBe(false);
    sealing.message(other, "gossip", push(bob.write(1)[0] as Chunk));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sealing.behind).toBe(false);
    const many = 2 * Math.ceil(turnCost / chunkCost);
    for (let i = 0; i < many; i++)
      sealing.message(peer, "gossip", push(alice.write(1)[0] as Chunk));
    let behind = false;
    while (delivered.length < many) {
      await new Promise((resolve) => setImmediate(resolve));
      behind ||= sealing.behind;
    }
    expect(behind).toBe(true);
    expect(sealing.behind).toBe(false);
    sealing.hostMessage(other, encodeCredentials([bob.credential.bytes]));
    await settled();
    expect(delivered).toHaveLength(many + 1);
  });

  test("a long value is hashed over many turns, in which another peer's versions have theirs", async () => {
    const { sealing, delivered, settled } = host([alice]);
    const slices = 16;
    const [long, short] = [alice.write(1, new Uint8Array(slices * sliceBytes)), alice.write(1)].map(
      (written) => push(written[0] as Chunk),
    ) as [Uint8Array, Uint8Array];
    sealing.message(peer, "gossip", long);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sealing.behind).toBe(true);
    sealing.message(other, "gossip", short);
    let turns = 0;
    for (; delivered.length < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns).toBeGreaterThanOrEqual(slices - 2);
    expect(delivered.map(({ length }) => length)).toEqual([short.length, long.length]);
    await settled();
    expect(sealing.behind).toBe(false);
  });

  test("long values of two peers take turns", async () => {
    const { sealing, delivered, settled } = host([alice]);
    const size = (slices: number) => new Uint8Array(slices * sliceBytes);
    const [longest, longer] = [alice.write(1, size(24)), alice.write(1, size(4))].map((written) =>
      push(written[0] as Chunk),
    ) as [Uint8Array, Uint8Array];
    sealing.message(peer, "gossip", longest);
    sealing.message(other, "gossip", longer);
    await settled();
    expect(delivered.map(({ length }) => length)).toEqual([longer.length, longest.length]);
  });

  test("versions arrive in the order in which they came, and nothing overtakes them", async () => {
    const { sealing, delivered, settled } = host([alice, bob]);
    const messages: Uint8Array[] = [];
    for (let i = 0; i < 50; i++) {
      messages.push(push((i % 2 === 0 ? alice : bob).write(1)[0] as Chunk));
      if (i % 7 === 0) messages.push(encodePrune());
    }
    for (const bytes of messages) sealing.message(peer, "gossip", bytes);
    await settled();
    expect(delivered).toEqual(messages);
    expect(sealing.stats().signatures).toBeLessThan(20);
  });

  test("what one turn of the event loop brought is handed on as one, and its last good message ends it", async () => {
    const { sealing, delivered, followed, settled } = host([alice, bob]);
    const written = alice.write(3).map(push);
    for (const bytes of written) sealing.message(peer, "gossip", bytes);
    await settled();
    expect(followed).toEqual([true, true, false]);
    // Each names the one before it: one signature proves all three.
    expect(sealing.stats().signatures).toBe(1);
    const [good, forged] = bob.write(2) as [Chunk, Chunk];
    sealing.message(peer, "gossip", push(good));
    sealing.message(peer, "gossip", push({ ...forged, payload: Uint8Array.of(6) }));
    await settled();
    expect(delivered).toEqual([...written, push(good)]);
    expect(followed.at(-1)).toBe(false);
  });

  test("a forged version is turned away and reported with its peer; that peer is not heard for a while", async () => {
    const { sealing, delivered, rejected, clock, settled } = host([alice]);
    const [forged, good, later] = alice.write(3) as [Chunk, Chunk, Chunk];
    sealing.message(peer, "gossip", push({ ...forged, payload: Uint8Array.of(6) }));
    await settled();
    sealing.message(peer, "gossip", push(good));
    sealing.message(other, "gossip", push(good));
    await settled();
    expect(delivered).toEqual([push(good)]);
    expect(rejected).toEqual([
      "carol: the signature of alice does not hold (1)",
      "carol: a version from a peer that sent forged ones (1)",
    ]);
    clock.ms += 1001;
    sealing.message(peer, "gossip", push(later));
    await settled();
    expect(delivered).toEqual([push(good), push(later)]);
    expect(sealing.stats().rejected).toBe(2);
  });

  test("an answer with one forged version is turned away whole", async () => {
    const { sealing, delivered, rejected, settled } = host([alice]);
    const chunks = alice.write(20);
    chunks[11] = { ...(chunks[11] as Chunk), payload: Uint8Array.of(6) };
    sealing.message(peer, "sync", encodeChunks(1, chunks));
    await settled();
    expect(delivered).toEqual([]);
    expect(rejected).toEqual(["carol: the signature of alice does not hold (1)"]);
  });

  test("an answer without seals is turned away", async () => {
    const { sealing, rejected, settled } = host([alice]);
    const bare = alice.write(3).map(({ seal: _seal, ...chunk }) => chunk);
    sealing.message(peer, "sync", encodeChunks(1, bare));
    await settled();
    expect(rejected).toEqual(["carol: it is not signed (3)"]);
  });

  test("bytes that are no message are the replica's to judge", async () => {
    const { sealing, delivered, settled } = host([alice]);
    const bytes = push(alice.write(1)[0] as Chunk).subarray(0, 30);
    sealing.message(peer, "gossip", bytes);
    sealing.message(peer, "sync", push(alice.write(1)[0] as Chunk));
    await settled();
    expect(delivered).toHaveLength(2);
  });

  test("rows without signatures are turned away, digests of ranges are not", async () => {
    const { sealing, delivered, rejected, settled } = host([]);
    const holdings = { hi: 1, lo: 2 };
    const digests = encodeRepair({ type: "tableDigests", token: 1, holdings, digests: [] });
    const rows = encodeRepair({
      type: "rows",
      token: 1,
      holdings,
      answer: true,
      table: "t",
      from: new Uint8Array(0),
      to: new Uint8Array(0),
      rows: [],
    });
    sealing.message(peer, "sync", rows);
    sealing.message(peer, "sync", digests);
    await settled();
    expect(delivered).toEqual([digests]);
    expect(rejected).toEqual(["carol: rows without signatures (repair) (1)"]);
  });
});

describe("keys", () => {
  test("a key that is not known is asked for, and what came meanwhile waits in order", async () => {
    const here = host([]);
    const there = host([alice]);
    const messages = [...alice.write(3).map(push), encodePrune()];
    for (const bytes of messages) here.sealing.message(peer, "gossip", bytes);
    await vi.waitFor(() => expect(here.sent).toHaveLength(1));
    expect(here.delivered).toEqual([]);
    expect(there.sealing.hostMessage(other, (here.sent[0] as { bytes: Uint8Array }).bytes)).toBe(
      true,
    );
    expect(there.sent[0]?.to).toBe(other.address);
    here.sealing.hostMessage(peer, (there.sent[0] as { bytes: Uint8Array }).bytes);
    await here.settled();
    expect(here.delivered).toEqual(messages);
    expect(here.saved).toEqual([alice.credential.bytes]);
    expect(here.rejected).toEqual([]);
  });

  test("a key that nobody proves is waited for once, and its versions are turned away", async () => {
    const { sealing, sent, delivered, rejected, settled } = host([]);
    sealing.message(peer, "gossip", push(alice.write(1)[0] as Chunk));
    await sleep(proofWaitMs / 2);
    expect(delivered).toEqual([]);
    await settled();
    expect(rejected).toEqual(["carol: nobody proves whose key signed it (1)"]);
    sealing.message(other, "gossip", push(alice.write(1)[0] as Chunk));
    await settled();
    expect(sent).toHaveLength(1);
    expect(rejected).toHaveLength(2);
  });

  test("a credential of a stranger is reported and not kept", async () => {
    const { sealing, rejected, saved } = host([]);
    const stranger = await (await makeFleet()).node("alice");
    sealing.hostMessage(peer, encodeCredentials([stranger.credential.bytes, Uint8Array.of(1)]));
    expect(rejected).toEqual([
      "carol: a credential: its certificate is not of this cluster's authority (1)",
      "carol: a credential: it is no credential (1)",
    ]);
    expect(saved).toEqual([]);
  });

  test("bytes of the host channel that are about something else are left alone", () => {
    const { sealing } = host([]);
    for (const bytes of [[], [1, 1, 5], [1, 3, 200], [1, 4, 1, 255, 255], [2, 3, 0]]) {
      expect(sealing.hostMessage(peer, Uint8Array.from(bytes))).toBe(false);
    }
  });
});

describe("markers", () => {
  const done = (from: number, to: number) =>
    encodeDone(1, false, [{ actor: bob.actor, from, to }], []);
  const believed = (bytes: Uint8Array | undefined): unknown => {
    const decoded = decodeMessage(bytes as Uint8Array, syncDecoders, maxSyncBytes);
    if (decoded.type !== "message" || decoded.message.type !== "done") throw new Error("no end");
    return decoded.message.overwritten.map(({ from, to }) => [from, to]);
  };

  test("a marker is believed when a second peer says the same", async () => {
    const { sealing, delivered, settled } = host([]);
    const said = [
      [peer, done(1, 9)],
      [other, done(5, 20)],
      [peer, done(8, 12)],
    ] as const;
    for (const [who, bytes] of said) {
      sealing.message(who, "sync", bytes);
      await settled();
    }
    expect(delivered.map(believed)).toEqual([[], [[5, 9]], [[8, 12]]]);
  });

  test("one peer alone is believed after a while, for what it said then", async () => {
    const { sealing, delivered, clock, settled } = host([]);
    sealing.message(peer, "sync", done(1, 9));
    await settled();
    clock.ms += 31_000;
    sealing.message(peer, "sync", done(5, 12));
    await settled();
    expect(delivered.map(believed)).toEqual([[], [[5, 9]]]);
  });

  test("in a cluster of two there is nobody else to ask", async () => {
    const { sealing, delivered, settled } = host([], 1);
    sealing.message(peer, "sync", done(1, 9));
    await settled();
    expect(delivered.map(believed)).toEqual([[[1, 9]]]);
  });
});
