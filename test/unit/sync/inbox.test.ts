import { beforeEach, describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import type { Effect, StoreRequest, StoreResponse } from "../../../core/node/event.ts";
import { IdSource, machines } from "../../../core/node/ids.ts";
import type { Chunk, VersionOutcome } from "../../../core/node/store.ts";
import { lanSync } from "../../../core/sync/config.ts";
import { Inbox, maxInboxBytes } from "../../../core/sync/inbox.ts";
import { Ledger } from "../../../core/sync/ledger.ts";

const alice = actorId("a1".repeat(16));
const hlc = { ms: 1, counter: 0 };
const summary = { hash: "0123456789abcdef", rows: 1 };

function chunk(version: number, index = 0, count = 1, bytes = 4): Chunk {
  return { actor: alice, version, index, count, hlc, payload: new Uint8Array(bytes) };
}

type Receive = Extract<StoreRequest, { type: "receive" }>;

describe("the inbox", () => {
  let ledger: Ledger;
  let inbox: Inbox;
  let nowMs: number;

  beforeEach(() => {
    ledger = new Ledger([]);
    inbox = new Inbox(ledger, lanSync, new IdSource(machines.replica));
    nowMs = 0;
  });

  function flush(): { id: number; request: Receive }[] {
    const out: Effect[] = [];
    inbox.flush(out);
    return out.flatMap((effect) =>
      effect.type === "store" ? [{ id: effect.id, request: effect.request as Receive }] : [],
    );
  }

  function overflows(): number {
    const out: Effect[] = [];
    inbox.flush(out);
    let count = 0;
    for (const effect of out) {
      if (effect.type === "notify" && effect.notice.type === "overflow") {
        count += effect.notice.count;
      }
    }
    return count;
  }

  function answer(id: number, versions: readonly VersionOutcome[]) {
    const response: StoreResponse = { type: "receive", versions, farFuture: 0, summary };
    return inbox.stored({ monoMs: nowMs, wallMs: 0 }, id, response);
  }

  function fail(id: number) {
    return inbox.stored({ monoMs: nowMs, wallMs: 0 }, id, { type: "failed", why: "disk full" });
  }

  function applied(version: number): VersionOutcome {
    return { type: "applied", actor: alice, version, won: 1, lost: 0 };
  }

  test("BK10: one call of the store at a time; what comes meanwhile goes together with the next", () => {
    inbox.take(chunk(1), "gossip");
    const [first] = flush();
    inbox.take(chunk(2), "gossip");
    inbox.take(chunk(3), "gossip");
    expect(flush()).toEqual([]);
    expect(answer(first?.id ?? 0, [applied(1)])?.held).toBe(1);
    const [second] = flush();
    expect(second?.request.chunks.map(({ version }) => version)).toEqual([2, 3]);
    expect(second?.request.via).toBe("gossip");
  });

  test("BK10: what came by broadcast and what came by sync take turns", () => {
    for (let v = 1; v <= 3000; v++) inbox.take(chunk(v), "sync");
    const vias: string[] = [];
    let call = flush()[0];
    for (let v = 4001; call !== undefined; v++) {
      vias.push(call.request.via);
      if (v <= 4002) inbox.take(chunk(v), "gossip");
      answer(
        call.id,
        call.request.chunks.map(({ version }) => applied(version)),
      );
      call = flush()[0];
    }
    expect(vias.slice(0, 4)).toEqual(["sync", "gossip", "sync", "gossip"]);
    expect(ledger.heldVersions).toBe(3002);
  });

  test("BK06: a failed call takes all marks back, and nothing is taken before the store is tried again", () => {
    inbox.take(chunk(1), "gossip");
    const [call] = flush();
    inbox.take(chunk(2), "sync");
    ledger.open(alice)?.setMarked(3, 3, true);
    inbox.release([{ actor: alice, from: 3, to: 3 }]);
    expect(fail(call?.id ?? 0)).toBeNull();
    expect(inbox.failing).toBe(true);
    expect(inbox.size).toBe(0);
    expect(inbox.take(chunk(4), "gossip")).toBe(false);
    ledger.get(alice)?.setMarked(3, 3, false);
    expect(ledger.get(alice)?.wanting(1, 4)).toEqual([[1, 4]]);
    expect(inbox.retryAtMs).toBe(lanSync.storeRetryMs);
    inbox.resume();
    expect(inbox.take(chunk(1), "gossip")).toBe(true);
  });

  test("SY14: the pause doubles while the store fails and begins anew when it does not", () => {
    const pauses: number[] = [];
    for (let i = 0; i < 10; i++) {
      inbox.take(chunk(1), "gossip");
      fail(flush()[0]?.id ?? 0);
      pauses.push(inbox.retryAtMs - nowMs);
      nowMs = inbox.retryAtMs;
      inbox.resume();
    }
    expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(pauses.at(-1)).toBe(lanSync.storeRetryMaxMs);
    inbox.take(chunk(1), "gossip");
    answer(flush()[0]?.id ?? 0, [applied(1)]);
    inbox.take(chunk(2), "gossip");
    fail(flush()[0]?.id ?? 0);
    expect(inbox.retryAtMs - nowMs).toBe(100);
  });

  test("BK11: what does not fit is dropped unmarked and told", () => {
    const big = maxInboxBytes / 4;
    for (let v = 1; v <= 4; v++) expect(inbox.take(chunk(v, 0, 1, big), "sync")).toBe(true);
    expect(inbox.take(chunk(5, 0, 1, big), "sync")).toBe(false);
    expect(ledger.verdict(alice, 5, 0, 1)).toBe("new");
    expect(overflows()).toBe(1);
    expect(overflows()).toBe(0);
  });

  test("BK11: one chunk longer than the bound is taken when nothing else waits", () => {
    expect(inbox.take(chunk(1, 0, 1, maxInboxBytes + 1), "gossip")).toBe(true);
  });

  test("BK08: buffered chunks are in the books; the last one makes the version held", () => {
    inbox.take(chunk(1, 1, 2), "gossip");
    answer(flush()[0]?.id ?? 0, [{ type: "buffered", actor: alice, version: 1, have: 1, of: 2 }]);
    expect(ledger.holdings()[0]?.partial).toEqual([{ version: 1, count: 2, have: [[1, 1]] }]);
    inbox.take(chunk(1, 0, 2), "sync");
    expect(answer(flush()[0]?.id ?? 0, [applied(1)])?.held).toBe(1);
    expect(ledger.holdings()[0]?.partial).toEqual([]);
  });

  test("BK09: a rejected version leaves nothing behind and is not wanted for a while", () => {
    inbox.take(chunk(1), "gossip");
    inbox.take(chunk(2, 0, 2), "gossip");
    answer(flush()[0]?.id ?? 0, [
      { type: "rejected", actor: alice, version: 1, why: "not a version" },
      { type: "buffered", actor: alice, version: 2, have: 1, of: 2 },
    ]);
    expect(ledger.holdings()).toEqual([
      {
        actor: alice,
        head: 2,
        gaps: [[1, 1]],
        partial: [{ version: 2, count: 2, have: [[0, 0]] }],
      },
    ]);
    expect(ledger.get(alice)?.wanting(1, 1)).toEqual([]);
    ledger.forgiveAll();
    expect(ledger.get(alice)?.wanting(1, 1)).toEqual([[1, 1]]);
  });

  test("BK09: chunks kept after a contradiction in the same call are in the books", () => {
    for (const index of [0, 1, 2]) inbox.take(chunk(1, index, 5), "sync");
    // The store dropped what it had at chunk 1, and kept what came after.
    answer(flush()[0]?.id ?? 0, [
      { type: "rejected", actor: alice, version: 1, why: "they contradict each other" },
      { type: "buffered", actor: alice, version: 1, have: 1, of: 5 },
    ]);
    expect(ledger.holdings()[0]?.partial).toEqual([{ version: 1, count: 5, have: [[2, 2]] }]);
  });

  test("BK01: quarantined versions are held, known ones too", () => {
    inbox.take(chunk(1), "gossip");
    inbox.take(chunk(2), "gossip");
    const received = answer(flush()[0]?.id ?? 0, [
      { type: "quarantined", actor: alice, version: 1, why: "no such table" },
      { type: "known", actor: alice, version: 2 },
    ]);
    expect(received?.held).toBe(2);
    expect(ledger.get(alice)?.held.ranges()).toEqual([[1, 2]]);
  });

  test("SY08: released markers are held when the store has answered, not before", () => {
    ledger.open(alice)?.setMarked(1, 10, true);
    inbox.release([{ actor: alice, from: 1, to: 10 }]);
    const [call] = flush();
    expect(call?.request.overwritten).toEqual([{ actor: alice, from: 1, to: 10 }]);
    expect(ledger.heldVersions).toBe(0);
    expect(answer(call?.id ?? 0, [])?.held).toBe(10);
    expect(ledger.heldVersions).toBe(10);
  });
});
