/** Live traces: numbers of nodes and messages, states at most every 100 ms, and who is listened to. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { address } from "../../../core/base/ids.ts";
import { type LiveEvent, LiveTrace } from "../../../runtime/observe/live-trace.ts";

const own = address("10.0.0.1:1");
const peer = address("10.0.0.2:1");
const stranger = address("10.0.0.3:1");

let nowMs = 0;
const wanted: boolean[] = [];

function trace(present: readonly LiveEvent[] = []): LiveTrace {
  return new LiveTrace({
    self: () => ({ address: own, name: "own", region: "iad", actor: "aa" }),
    node: (of) => (of === peer ? { name: "peer", region: "fra", actor: "bb" } : null),
    schema: () => ["CREATE TABLE kv (k)"],
    present: () => present,
    wanted: (is) => wanted.push(is),
    now: () => nowMs,
  });
}

/** Subscribes; the lines as objects. */
function listen(to: LiveTrace, planes: ReadonlySet<string> | null = null) {
  const lines: Record<string, unknown>[] = [];
  const stop = to.subscribe((line) => {
    expect(line.endsWith("\n")).toBe(true);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  }, planes);
  return { lines, stop };
}

function member(about: typeof own): LiveEvent {
  return { k: "member", about, state: "alive", inc: 1, epoch: 2 };
}

const state: LiveEvent = { k: "state", hash: "h", heads: { aa: 1 }, gaps: 0, rows: 1 };

describe("a live trace", () => {
  beforeEach(() => {
    nowMs = 1000;
    wanted.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("begins with header and members; this node is 0, whoever comes later joins", () => {
    const live = trace([member(own), member(peer)]);
    const { lines } = listen(live);
    nowMs = 1002.5;
    live.record(member(stranger));
    expect(lines).toEqual([
      {
        trace: 1,
        source: "live",
        options: {},
        nodes: [
          { n: 0, name: "own", region: "iad", actor: "aa" },
          { n: 1, name: "peer", region: "fra", actor: "bb" },
        ],
        schema: ["CREATE TABLE kv (k)"],
      },
      { t: 0, k: "member", n: 0, about: 0, state: "alive", inc: 1, epoch: 2 },
      { t: 0, k: "member", n: 0, about: 1, state: "alive", inc: 1, epoch: 2 },
      { t: 2500, k: "join", n: 2, name: "10.0.0.3:1", region: "", actor: "" },
      { t: 2500, k: "member", n: 0, about: 2, state: "alive", inc: 1, epoch: 2 },
    ]);
  });

  test("numbers messages for each listener, and shows the planes that it asked for", () => {
    const live = trace([member(peer)]);
    const all = listen(live);
    const gossip = listen(live, new Set(["gossip"]));
    live.record({ k: "send", to: peer, plane: "swim", msg: "ping", bytes: 1 });
    live.record({ k: "recv", from: peer, plane: "gossip", msg: "push", bytes: 2 });
    live.record({ k: "need", actor: "bb", from: 1, to: 2 });
    const shown = (lines: readonly { k?: unknown; m?: unknown }[]) =>
      lines.slice(2).map(({ k, m }) => (m === undefined ? k : [k, m].join(" ")));
    expect(shown(all.lines)).toEqual(["send 1", "send 2", "recv 2", "need"]);
    expect(shown(gossip.lines)).toEqual(["send 1", "recv 1", "need"]);
  });

  test("writes a state at most every 100 ms, and the last one in any case", () => {
    const live = trace();
    const { lines, stop } = listen(live);
    for (let rows = 1; rows <= 5; rows++) {
      live.record({ ...state, rows });
      nowMs += 10;
    }
    expect(lines.slice(1)).toMatchObject([{ t: 0, rows: 1 }]);
    nowMs = 1100;
    vi.advanceTimersByTime(100);
    expect(lines.slice(1)).toMatchObject([{ rows: 1 }, { t: 100_000, rows: 5 }]);
    live.record({ ...state, rows: 6 });
    stop();
    vi.advanceTimersByTime(1000);
    expect(lines).toHaveLength(3);
  });

  test("tells when somebody listens, and when nobody does any more", () => {
    const live = trace();
    live.record(state);
    const one = listen(live);
    const two = listen(live);
    expect([live.active, wanted]).toEqual([true, [true]]);
    one.stop();
    one.stop();
    expect(wanted).toEqual([true]);
    two.stop();
    expect([live.active, wanted]).toEqual([false, [true, false]]);
    live.record(state);
    expect(one.lines).toHaveLength(1);
  });
});
