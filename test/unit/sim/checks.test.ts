/** Each check is shown a history that is wrong in its own way, and one that is not. */
import { expect, test } from "vitest";
import { Bookkeeping } from "../../../sim/check/bookkeeping.ts";
import { Bounds } from "../../../sim/check/bounds.ts";
import { CausalOrder } from "../../../sim/check/causal-order.ts";
import { Converge } from "../../../sim/check/converge.ts";
import { NoLostWrite } from "../../../sim/check/no-lost-write.ts";
import { VersionReuse } from "../../../sim/check/version-reuse.ts";
import { WholeVersions } from "../../../sim/check/whole-versions.ts";
import type { StoreRequest, StoreResponse } from "../../../core/node/event.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { Ledger } from "../../../core/sync/ledger.ts";
import type { SimNode } from "../../../sim/host/node.ts";
import {
  actorA,
  actorB,
  FakeContext,
  fakeNode,
  fakeStore,
  holds,
  version,
} from "./fake-cluster.ts";

const row = (v: string): string[] => ["x", v, null as unknown as string];

test.each([
  ["rows", { rows: [row("1")] }, { rows: [row("2")] }],
  ["a row that one lacks", { rows: [row("1")] }, { rows: [] }],
  ["a row that one has too many", { rows: [] }, { rows: [row("1")] }],
  ["metadata", { rows: [row("1")], hash: "a" }, { rows: [row("1")], hash: "b" }],
  ["digests", { digests: [["kv", "1"]] as const }, { digests: [["kv", "2"]] as const }],
  ["holdings", { holdings: [holds(actorA, 2)] }, { holdings: [holds(actorA, 3)] }],
])("SI17: nodes that end with different %s are found", (_what, a, b) => {
  const context = new FakeContext();
  context.nodes.push(fakeNode(0, { store: fakeStore(a) }), fakeNode(1, { store: fakeStore(b) }));
  new Converge(context).atEnd();
  expect(context.reports).toHaveLength(1);
  expect(context.reports[0]).toMatch(/^converge 1: /);
});

test("SI17: equal nodes pass, and a node that left may differ", () => {
  const context = new FakeContext();
  const same = { rows: [row("1")], hash: "a", holdings: [holds(actorA, 2), holds(actorB, 1)] };
  const other = { ...same, holdings: [holds(actorB, 1), holds(actorA, 2)] };
  context.nodes.push(
    fakeNode(0, { store: fakeStore(same) }),
    fakeNode(1, { store: fakeStore(other) }),
    fakeNode(2, { store: fakeStore({}), live: false }),
  );
  new Converge(context).atEnd();
  expect(context.reports).toEqual([]);
});

type Holdings = ReturnType<typeof holds>[];

/** A node whose holdings are changed as a test goes on. */
class Machine {
  holdings: Holdings = [];
  readonly node: SimNode;

  constructor(n: number) {
    this.node = fakeNode(n, { store: { ...fakeStore({}), holdings: () => this.holdings } });
  }
}

/** Node 0 writes versions 1 to 3 of A, the third after its last checkpoint; node 1 holds `elsewhere` of them. */
class Losses {
  readonly context = new FakeContext();
  readonly check = new NoLostWrite(this.context);
  readonly zero = new Machine(0);
  readonly one = new Machine(1);

  constructor(elsewhere: Holdings) {
    this.context.nodes.push(this.zero.node, this.one.node);
    for (const { node } of [this.zero, this.one]) this.check.booted(node);
    for (let v = 1; v <= 3; v++) {
      const chunks = version(actorA, v, v, [{ k: "x", cl: 1, cells: { v: "1" } }]);
      this.context.history.record(0, 0, chunks);
      this.check.committed(this.zero.node, chunks);
      if (v === 2) this.check.checkpointed(this.zero.node);
    }
    this.zero.holdings = [holds(actorA, 3)];
    this.one.holdings = elsewhere;
  }

  /** Node 0 dies, and holds `after` when it is back. */
  dies(fate: "kept" | "torn" | "lost" | "left", after: Holdings): this {
    this.check.dying(this.zero.node, fate);
    this.zero.holdings = after;
    if (fate !== "left") this.check.booted(this.zero.node);
    return this;
  }

  /** Lost, lost with a disk, and what was reported. */
  end(): [number, number, string] {
    this.check.atEnd();
    return [this.check.lost, this.check.lostWithDisk, this.context.reports.join()];
  }
}

const violation = expect.stringContaining("acknowledged transactions are held by nobody");

test("SI18: a write that nobody holds at the end is found", () => {
  expect(new Losses([]).dies("kept", [holds(actorA, 2)]).end()).toEqual([1, 0, violation]);
});

test("SI18: what was torn or lost with the only disk that held it is counted, and no violation", () => {
  expect(new Losses([]).dies("torn", [holds(actorA, 2)]).end()).toEqual([0, 1, ""]);
  expect(new Losses([]).dies("lost", []).end()).toEqual([0, 3, ""]);
});

test("SI18: a torn disk excuses only what came after its checkpoint", () => {
  expect(new Losses([]).dies("torn", [holds(actorA, 1)]).end()).toEqual([1, 1, violation]);
});

test("SI18: a lost disk does not excuse what another node held then and lost later", () => {
  const losses = new Losses([holds(actorA, 3)]).dies("lost", []);
  losses.one.holdings = [];
  expect(losses.end()).toEqual([3, 0, violation]);
});

test("SI18: what others keep is not lost, whatever becomes of the disk of its author", () => {
  expect(new Losses([holds(actorA, 3)]).dies("lost", []).end()).toEqual([0, 0, ""]);
});

test("SI18: what a node took with it when it left is on its disk still", () => {
  expect(new Losses([]).dies("left", []).end()).toEqual([0, 0, ""]);
});

test("SI18: a restart alone makes nothing safe: power lost after it excuses what no checkpoint saved", () => {
  const losses = new Losses([]).dies("kept", [holds(actorA, 3)]).dies("torn", [holds(actorA, 2)]);
  expect(losses.end()).toEqual([0, 1, ""]);
});

test("SI18: what came from others since the checkpoint goes with a torn disk too", () => {
  const losses = new Losses([holds(actorA, 3)]);
  const { check, one, zero } = losses;
  check.checkpointed(one.node);
  one.holdings = [holds(actorA, 3), holds(actorB, 2)];
  for (const v of [1, 2])
    losses.context.history.record(2, 0, version(actorB, v, v, [{ k: "y", cl: 1 }]));
  const request = { type: "receive", chunks: [], overwritten: [{ actor: actorB, from: 1, to: 1 }] };
  const versions = [{ type: "applied", actor: actorB, version: 2 }];
  check.stored(
    one.node,
    request as unknown as StoreRequest,
    { type: "receive", versions } as unknown as StoreResponse,
  );
  check.dying(one.node, "torn");
  one.holdings = [holds(actorA, 3)];
  check.booted(one.node);
  expect(zero.holdings).toEqual([holds(actorA, 3)]);
  expect(losses.end()).toEqual([0, 2, ""]);
});

/** Two versions of row x, and a node that counts those in `head` as held and shows `rows`. */
function judge(head: number, rows: readonly (readonly string[])[]): string[] {
  const context = new FakeContext();
  const write = (v: number, cells: Record<string, string>): void => {
    context.history.record(0, 0, version(actorA, v, v * 10, [{ k: "x", cl: 1, cells }]));
  };
  write(1, { v: "old", n: null as unknown as string });
  write(2, { v: "new" });
  const store = fakeStore({ holdings: [holds(actorA, head)], rows });
  context.nodes.push(fakeNode(0, { store }));
  new WholeVersions(context).sample();
  return context.reports;
}

test.each([
  ["half a version is shown", 1, [["x", "new", null]]],
  ["a version held is not shown", 2, [["x", "old", null]]],
  ["a row is missing", 1, []],
  ["a row is there that no version made", 0, [["x", "old", null]]],
])("SI19: %s", (_what, head, rows) => {
  const reports = judge(head, rows as unknown as string[][]);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatch(/^whole-versions 0: row /);
});

test("SI19: what the versions held merge to passes, as does damage that was done on purpose", () => {
  expect(judge(2, [["x", "new", null as unknown as string]])).toEqual([]);
  const context = new FakeContext();
  context.rotted = true;
  context.nodes.push(fakeNode(0, { store: fakeStore({ rows: [row("rotten")] }) }));
  new WholeVersions(context).sample();
  expect(context.reports).toEqual([]);
});

test("SI19: equal holdings and rows with another hash are found", () => {
  const context = new FakeContext();
  context.nodes.push(
    fakeNode(0, { store: fakeStore({ hash: "a" }) }),
    fakeNode(1, { store: fakeStore({ hash: "b" }) }),
  );
  new WholeVersions(context).atEnd();
  expect(context.reports).toHaveLength(1);
  expect(context.reports[0]).toContain("its state hash is b, not a");
});

/** A commits `earlier`, which B's node holds; then B commits `later`. */
function commitAfter(earlier: Chunk[], later: Chunk[]): string[] {
  const context = new FakeContext();
  const check = new CausalOrder(context);
  const first = earlier[0] as Chunk;
  const ledger = new Ledger([holds(first.actor, first.version)]);
  const node = fakeNode(1, { replica: { ledger } });
  context.nodes.push(node);
  for (const chunks of [earlier, later]) {
    context.history.record(1, 0, chunks);
    check.committed(node, chunks);
  }
  return context.reports;
}

const inserted = version(actorA, 1, 100, [{ k: "x", cl: 1, cells: { v: "1", n: 1 } }]);

test.each([
  [
    "is stamped below",
    version(actorB, 1, 99, [{ k: "x", cl: 1, cells: { v: "2" } }]),
    "overwrites",
  ],
  ["uses its own stamp again", version(actorA, 2, 100, [{ k: "y", cl: 1 }]), "used before"],
  ["deletes below it", version(actorB, 1, 99, [{ k: "x", cl: 2 }]), null],
])("SI20: a write that %s what its node held", (_what, later, found) => {
  const reports = commitAfter(inserted, later);
  if (found === null) expect(reports).toEqual([]);
  else expect(reports.join()).toContain(found);
});

test("SI20: a write that goes back to an older life is found", () => {
  const reborn = version(actorA, 1, 100, [{ k: "x", cl: 3, cells: { v: "1" } }]);
  const reports = commitAfter(
    reborn,
    version(actorB, 1, 200, [{ k: "x", cl: 1, cells: { v: "2" } }]),
  );
  expect(reports.join()).toContain("causal length 1 over 3");
});

test("SI20: two deletes of one life in the wrong order are found", () => {
  const dead = version(actorA, 1, 100, [{ k: "x", cl: 2 }]);
  const reports = commitAfter(dead, version(actorB, 1, 50, [{ k: "x", cl: 2 }]));
  expect(reports.join()).toContain("overwrites");
});

test("SI20: a later stamp passes, and so does another column and another row", () => {
  const pass = (later: Chunk[]): void => expect(commitAfter(inserted, later)).toEqual([]);
  pass(version(actorB, 1, 101, [{ k: "x", cl: 1, cells: { v: "2" } }]));
  pass(version(actorB, 1, 100, [{ k: "x", cl: 1, cells: { v: "2" } }]));
  pass(version(actorB, 1, 99, [{ k: "y", cl: 1, cells: { v: "2" } }]));
  const narrow = version(actorA, 1, 100, [{ k: "x", cl: 1, cells: { v: "1" } }]);
  const other = version(actorB, 1, 99, [{ k: "x", cl: 1, cells: { n: 1 } }]);
  expect(commitAfter(narrow, other)).toEqual([]);
});

test("SI21: books that differ from the store are found", () => {
  const books = (booked: ReturnType<typeof holds>): string[] => {
    const context = new FakeContext();
    const store = fakeStore({ holdings: [holds(actorA, 5, [2, 3])] });
    context.nodes.push(fakeNode(0, { store, replica: { ledger: new Ledger([booked]) } }));
    new Bookkeeping(context).sample();
    return context.reports;
  };
  expect(books(holds(actorA, 5, [2, 3]))).toEqual([]);
  for (const wrong of [holds(actorA, 5), holds(actorA, 6, [2, 3]), holds(actorB, 5, [2, 3])]) {
    expect(books(wrong)[0]).toMatch(/^bookkeeping 0: the store holds /);
  }
});

function receive(check: VersionReuse, chunk: Chunk, type = "applied"): void {
  const request = {
    type: "receive",
    chunks: [chunk],
    overwritten: [],
    via: "sync",
  } as StoreRequest;
  const { actor, version } = chunk;
  const response = { type: "receive", versions: [{ type, actor, version }] };
  check.stored(fakeNode(3, {}), request, response as unknown as StoreResponse);
}

test("SI22: a version number that is committed twice is found", () => {
  const context = new FakeContext();
  const check = new VersionReuse(context);
  const commit = (chunks: Chunk[]): void => {
    context.history.record(0, 0, chunks);
    check.committed(fakeNode(0, {}), chunks);
  };
  commit(version(actorA, 1, 1, [{ k: "x", cl: 1 }]));
  commit(version(actorA, 2, 2, [{ k: "x", cl: 2 }]));
  expect(context.reports).toEqual([]);
  commit(version(actorA, 1, 3, [{ k: "y", cl: 1 }]));
  expect(context.reports.join()).toContain("version 1 of aaaaaaaa is used again");
});

test("SI22: content other than what was committed under a number is found when it is stored", () => {
  const context = new FakeContext();
  const check = new VersionReuse(context);
  const [chunk] = version(actorA, 1, 1, [{ k: "x", cl: 1 }]) as [Chunk];
  context.history.record(0, 0, [chunk]);
  receive(check, { ...chunk, payload: chunk.payload.slice() });
  receive(check, { ...chunk, hlc: { ms: 2, counter: 0 } }, "known");
  receive(check, { ...chunk, hlc: { ms: 2, counter: 0 } }, "rejected");
  expect(context.reports).toEqual([]);
  receive(check, { ...chunk, hlc: { ms: 2, counter: 0 } });
  receive(check, { ...chunk, payload: Uint8Array.of(1, 2) });
  receive(check, { ...chunk, version: 2 });
  expect(context.reports).toHaveLength(3);
  context.hostile = true;
  receive(check, { ...chunk, version: 2 });
  expect(context.reports).toHaveLength(3);
});

test("SI25: a queue past its bound is found", () => {
  const context = new FakeContext();
  const queues = [
    { name: "inbox", size: 10, max: 10 },
    { name: "outbox", size: 11, max: 10 },
  ];
  context.nodes.push(fakeNode(0, { replica: { stats: () => ({ queues }) } }));
  new Bounds(context).sample();
  expect(context.reports).toEqual(["bounds 0: outbox holds 11; its bound is 10"]);
});
