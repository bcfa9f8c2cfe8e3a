/** Live traces: several connections as one trace, and a trace that forgets its oldest events. */
import { describe, expect, test } from "vitest";
import { grownState } from "../../../visualizer/app/live-control.ts";
import { Loaded } from "../../../visualizer/app/loaded.ts";
import { initialState } from "../../../visualizer/app/state.ts";
import { State } from "../../../visualizer/model/kinds.ts";
import { LiveError, LiveMerge } from "../../../visualizer/model/live-merge.ts";
import { LiveWindow, noShift } from "../../../visualizer/model/live-window.ts";
import { reachOf } from "../../../visualizer/model/reach.ts";
import type { Trace } from "../../../visualizer/model/trace.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { actors, commit, lines } from "./read.ts";

const ms = 1000;

function head(...names: readonly string[]): string {
  const nodes = names.map((name, n) => ({ n, name, region: "", actor: `${name}-actor` }));
  return JSON.stringify({ trace: 1, source: "live", options: {}, nodes, schema: [] });
}
const line = (fields: Readonly<Record<string, unknown>>): string => JSON.stringify(fields);
const read = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((one) => one !== "")
    .map((one) => JSON.parse(one) as Record<string, unknown>);

describe("several connections as one trace", () => {
  test("nodes are told apart by who they are, whatever number a connection gives them", () => {
    const merge = new LiveMerge(2);
    merge.connect(0);
    merge.connect(1);
    merge.take(0, head("east", "west"), 0);
    merge.take(1, head("west", "east", "north"), 0);
    merge.take(0, line({ t: 5, k: "member", n: 0, about: 1, state: "alive", inc: 0, epoch: 1 }), 5);
    merge.take(1, line({ t: 6, k: "member", n: 0, about: 1, state: "alive", inc: 0, epoch: 1 }), 6);
    merge.take(1, line({ t: 7, k: "need", n: 0, actor: "x", from: 1, to: 2 }), 7);
    const [header, joined, east, west, need] = read(merge.ready(1000 * ms));
    expect(header?.["nodes"]).toMatchObject([
      { n: 0, name: "east" },
      { n: 1, name: "west" },
    ]);
    expect(joined).toMatchObject({ k: "join", n: 2, name: "north" });
    expect(east).toMatchObject({ n: 0, about: 1 });
    expect(west).toMatchObject({ n: 1, about: 0 });
    expect(need).toMatchObject({ n: 1, from: 1, to: 2 });
  });

  test("lines of two nodes come in order of time, each held until nothing earlier can come", () => {
    const merge = new LiveMerge(2);
    merge.connect(0);
    merge.connect(1);
    merge.take(0, head("east"), 0);
    merge.take(1, head("west"), 100 * ms);
    merge.take(0, line({ t: 300 * ms, k: "leave", n: 0 }), 300 * ms);
    merge.take(1, line({ t: 150 * ms, k: "leave", n: 0 }), 310 * ms);
    const early = read(merge.ready(400 * ms));
    expect(early.map(({ k }) => k)).toEqual([undefined, "join"]);
    const late = read(merge.ready(600 * ms));
    expect(late.map(({ n, t }) => [n, t])).toEqual([
      [1, 250 * ms],
      [0, 300 * ms],
    ]);
    // Later than its patience: told when it comes.
    merge.take(1, line({ t: 160 * ms, k: "leave", n: 0 }), 610 * ms);
    expect(read(merge.ready(900 * ms))[0]?.["t"]).toBe(300 * ms);
  });

  test("of a message between two that tell, the receiver's side is kept", () => {
    const merge = new LiveMerge(2);
    merge.connect(0);
    merge.connect(1);
    merge.take(0, head("east", "west", "north"), 0);
    merge.take(1, head("west", "east"), 0);
    const message = { plane: "swim", msg: "ping", bytes: 1 };
    merge.take(0, line({ t: 1, k: "send", n: 0, m: 1, to: 1, ...message }), 1);
    merge.take(0, line({ t: 1, k: "send", n: 0, m: 2, to: 2, ...message }), 1);
    merge.take(1, line({ t: 2, k: "send", n: 1, m: 1, to: 0, ...message }), 2);
    merge.take(1, line({ t: 2, k: "recv", n: 0, m: 1, from: 1, plane: "swim", msg: "ping" }), 2);
    const told = read(merge.ready(1000 * ms)).slice(1);
    expect(told.map(({ k, n, to, from }) => [k, n, to ?? from])).toEqual([
      ["send", 0, 2],
      ["send", 0, 1],
      ["recv", 1, 0],
    ]);
    expect(told[1]?.["m"]).toBe(told[2]?.["m"]);
    expect(told[0]?.["m"]).not.toBe(told[1]?.["m"]);
  });

  test("a second connection goes on where the first broke off", () => {
    const merge = new LiveMerge(1);
    merge.connect(0);
    merge.take(0, head("east", "west"), 50);
    merge.take(0, line({ t: 1000, k: "join", n: 2, name: "north", region: "", actor: "" }), 1050);
    merge.disconnect(0);
    merge.connect(0);
    merge.take(0, head("east", "north"), 5050);
    merge.take(0, line({ t: 10, k: "leave", n: 1 }), 5060);
    const [, joined, left] = read(merge.ready(6000));
    expect(joined).toMatchObject({ t: 1000, n: 2 });
    expect(left).toEqual({ t: 5010, k: "leave", n: 2 });
  });

  test("what is no trace, and what the server says at its end, is told", () => {
    const merge = new LiveMerge(1);
    merge.connect(0);
    expect(() => merge.take(0, "<html>", 0)).toThrow(LiveError);
    expect(() => merge.take(0, '{"hello":1}', 0)).toThrow("not a trace header");
    merge.take(0, head("east"), 0);
    for (const head of ["", '"t":7,"k":"error",']) {
      const line = `{${head}"error":"too slow","code":"slow_consumer"}`;
      expect(() => merge.take(0, line, 1)).toThrow("too slow");
    }
  });
});

describe("a live trace in bounded memory", () => {
  const header = {
    trace: 1,
    source: "live",
    options: {},
    nodes: [
      { n: 0, name: "east", region: "", actor: actors[0] },
      { n: 1, name: "west", region: "", actor: actors[1] },
    ],
    schema: ["CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT)"],
  };
  const suspect = { t: 1, k: "member", n: 0, about: 1, state: "suspect", inc: 3, epoch: 1 };
  const state = {
    t: 2,
    k: "state",
    n: 0,
    hash: "0000000000000001",
    heads: { a: 7 },
    gaps: 0,
    rows: 9,
  };

  function grow(window: LiveWindow, count: number, from: number): void {
    for (let i = 0; i < count; i++)
      window.push(
        lines({
          t: from + i,
          k: "send",
          n: 0,
          m: from + i,
          to: 1,
          plane: "swim",
          msg: "ping",
          bytes: 1,
        }),
      );
  }
  const loadedFrom = (trace: Trace): Loaded =>
    new Loaded(trace, buildIndex(trace), { type: "live", url: "x", keep: null }, "live");

  test("it never holds more than it may, begins at zero, and still knows what held before", () => {
    const window = new LiveWindow(800);
    window.push(lines(header, suspect, state));
    window.push(lines({ t: 3, k: "join", n: 2, name: "north", region: "", actor: "" }));
    let us = 0;
    for (let round = 0; round < 30; round++) {
      grow(window, 100, 100 + round * 100);
      expect(window.builder.count).toBeLessThanOrEqual(800);
      us += window.takeShift().us;
    }
    const trace = window.builder.snapshot();
    expect(trace.problem).toBeNull();
    expect(trace.t[0]).toBe(0);
    expect((trace.t.at(-1) as number) + us).toBe(3099);
    expect(trace.nodes.map(({ name }) => name)).toEqual(["east", "west", "north"]);
    const { members } = loadedFrom(trace);
    members.moveTo(trace.count - 1);
    const believed = members.last[1] as number;
    expect([trace.label[believed], trace.value[believed]]).toEqual([State.suspect, 3]);
    expect(trace.hashes).toEqual(["0000000000000001"]);
  });

  test("a write's spread says nothing of nodes whose data are not told", () => {
    const window = new LiveWindow(400);
    window.push(lines(header, state, commit(50, 0, 1, { key: "k" })));
    const { trace, index } = loadedFrom(window.builder.snapshot());
    expect(trace.nodes).toHaveLength(2);
    expect(reachOf(trace, index, 0)).toMatchObject({
      arrivals: [{ node: 0, delay: 0 }],
      total: 1,
      untold: 1,
    });
  });

  test("what is chosen is the same thing afterwards, or nothing", () => {
    const window = new LiveWindow(400);
    window.push(lines(header, suspect, state, commit(50, 0, 1, { key: "old" })));
    grow(window, 250, 100);
    window.push(lines(commit(500, 0, 2, { key: "kept" })));
    const before = loadedFrom(window.builder.snapshot());
    const event = before.trace.count - 1;
    const row = before.trace.rows.key.indexOf('["kept"]');
    const state0 = {
      ...initialState,
      t: 500,
      event,
      from: 400,
      to: 500,
      loop: [450, 480] as const,
      write: before.trace.ref[event] as number,
      selection: { type: "event", event } as const,
    };
    grow(window, 160, 501);
    const shift = window.takeShift();
    expect(shift.events).toBeGreaterThan(100);
    const loaded = loadedFrom(window.builder.snapshot());
    const after = { ...state0, ...grownState(state0, before, { loaded, shift }) };
    const at = after.selection?.type === "event" ? after.selection.event : -1;
    expect([loaded.trace.kind[at], (loaded.trace.t[at] as number) + shift.us]).toEqual([
      before.trace.kind[event],
      500,
    ]);
    expect(loaded.trace.versions.number[after.write]).toBe(2);
    expect(after.loop).toEqual([450 - shift.us, 480 - shift.us]);
    const ask = (row: number): unknown => {
      const cell = { ...state0, selection: { type: "cell", row, column: 0, node: 0 } as const };
      return grownState(cell, before, { loaded, shift }).selection;
    };
    expect(ask(row)).toMatchObject({
      type: "cell",
      row: loaded.trace.rows.key.indexOf('["kept"]'),
    });
    expect(ask(before.trace.rows.key.indexOf('["old"]'))).toBeNull();
  });

  test("while nothing is forgotten, nothing moves", () => {
    const window = new LiveWindow(400);
    window.push(lines(header));
    grow(window, 100, 0);
    expect(window.takeShift()).toEqual(noShift);
  });
});
