/** Faults in force, nodes that are down, what a lost or torn disk takes away, marks to jump to. */
import { describe, expect, test } from "vitest";
import { buildHeld, heldSince, holds, survivors } from "../../../visualizer/model/held.ts";
import { nextMark } from "../../../visualizer/model/marks.ts";
import {
  bandsAt,
  buildTimeline,
  statusAt,
  statusesAt,
} from "../../../visualizer/model/timeline.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import type { Trace } from "../../../visualizer/model/trace.ts";
import { actors, apply, commit, traceOf } from "./read.ts";

function state(
  t: number,
  n: number,
  hash: number,
  heads: readonly number[],
): Record<string, unknown> {
  return {
    t,
    k: "state",
    n,
    hash: hash.toString(16).padStart(16, "0"),
    heads: Object.fromEntries(heads.map((head, i) => [actors[i], head])),
    gaps: 0,
    rows: 1,
  };
}

describe("timeline", () => {
  const trace = traceOf(
    { t: 10, k: "fault", id: 1, fault: { kind: "partition", groups: [[0], [1, 2]] } },
    { t: 12, k: "fault", id: 2, fault: { kind: "slow", node: 1, factor: 20 } },
    { t: 15, k: "crash", n: 2, disk: "torn" },
    { t: 20, k: "lift", id: 1, fault: { kind: "partition", groups: [[0], [1, 2]] } },
    { t: 25, k: "restart", n: 2, actor: actors[4] },
    { t: 30, k: "pause", n: 0 },
    { t: 35, k: "resume", n: 0 },
    { t: 36, k: "leave", n: 1 },
    { t: 40, k: "join", n: 3, actor: actors[3], name: "n3", region: "syd" },
    { t: 50, k: "end", converged: true, hash: "0000000000000000" },
  );
  const timeline = buildTimeline(trace);

  test("a fault is in force from its begin to its lift, or to the end", () => {
    expect(timeline.bands.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ["partition", 10, 20],
      ["slow", 12, 50],
    ]);
    expect(bandsAt(timeline, 15).map(({ kind }) => kind)).toEqual(["partition", "slow"]);
    expect(bandsAt(timeline, 20).map(({ kind }) => kind)).toEqual(["slow"]);
    expect(timeline.bands[0]?.text).toBe("partition: n0 | n1 n2");
    expect(timeline.bands[1]?.text).toBe("slow n1 factor 20");
  });

  test("a node is crashed, paused, gone or not there yet for as long as it is", () => {
    const at = (t: number): string[] => statusesAt(timeline, 4, t);
    expect(at(5)).toEqual(["up", "up", "up", "absent"]);
    expect(at(16)).toEqual(["up", "up", "crashed", "absent"]);
    expect(at(25)).toEqual(["up", "up", "up", "absent"]);
    expect(at(34)).toEqual(["paused", "up", "up", "absent"]);
    expect(at(45)).toEqual(["up", "left", "up", "up"]);
    expect(statusAt(timeline, 2, 24)).toBe("crashed");
    expect(timeline.spans.find(({ n }) => n === 2)?.disk).toBe("torn");
  });

  test("marks are jumped to in both directions, and nowhere past the last", () => {
    const { marks } = buildIndex(trace);
    expect(nextMark(marks, ["fault"], 0)?.t).toBe(10);
    expect(nextMark(marks, ["fault"], 10)?.t).toBe(12);
    expect(nextMark(marks, ["fault", "heal"], 12)?.text).toBe("end of partition: n0 | n1 n2");
    expect(nextMark(marks, ["node"], 26, -1)?.text).toBe("n2: restart");
    expect(nextMark(marks, ["violation"], 0)).toBeNull();
    expect(nextMark(marks, ["fault"], 12, 1)).toBeNull();
  });
});

describe("versions held", () => {
  const heldAt = (trace: Trace, n: number, event: number): number[] => {
    const since = heldSince(buildHeld(trace), n, event);
    return Array.from({ length: trace.versions.count }, (_, v) => v).filter((v) =>
      holds(since, v, event),
    );
  };

  test("a version is held from its commit or apply on", () => {
    const trace = traceOf(commit(1, 0, 1), apply(2, 1, 0, 1), commit(3, 0, 2));
    expect(heldAt(trace, 0, 0)).toEqual([0]);
    expect(heldAt(trace, 1, 0)).toEqual([]);
    expect(heldAt(trace, 1, 1)).toEqual([0]);
    expect(heldAt(trace, 0, 2)).toEqual([0, 1]);
    expect(heldAt(trace, 2, 2)).toEqual([]);
  });

  test("a crash with its disk kept takes nothing away", () => {
    const trace = traceOf(
      commit(1, 0, 1),
      { t: 2, k: "crash", n: 0, disk: "kept" },
      { t: 3, k: "restart", n: 0, actor: actors[0] },
    );
    expect(heldAt(trace, 0, 2)).toEqual([0]);
  });

  test("a lost disk takes everything away; before the crash it was there", () => {
    const trace = traceOf(
      commit(1, 0, 1),
      { t: 2, k: "crash", n: 0, disk: "lost" },
      { t: 3, k: "restart", n: 0, actor: actors[4] },
      commit(4, 0, 1, { actor: actors[4] as string }),
    );
    expect(heldAt(trace, 0, 0)).toEqual([0]);
    expect(heldAt(trace, 0, 2)).toEqual([]);
    expect(heldAt(trace, 0, 3)).toEqual([1]);
    expect([...survivors(trace, buildHeld(trace))]).toEqual([0, 1]);
  });

  test("a torn disk falls back to the state that the node reports when it is back", () => {
    const trace = traceOf(
      commit(1, 0, 1),
      state(2, 0, 0xaa, [1]),
      commit(3, 0, 2),
      state(4, 0, 0xbb, [2]),
      commit(5, 0, 3),
      state(6, 0, 0xcc, [3]),
      { t: 7, k: "crash", n: 0, disk: "torn" },
      { t: 8, k: "restart", n: 0, actor: actors[4] },
      state(9, 0, 0xbb, [2]),
      apply(10, 0, 1, 1),
    );
    expect(heldAt(trace, 0, 5)).toEqual([0, 1, 2]);
    expect(heldAt(trace, 0, 8)).toEqual([0, 1]);
    expect(heldAt(trace, 0, 9)).toEqual([0, 1, 3]);
  });

  test("a torn disk whose state was never reported falls back by count", () => {
    const trace = traceOf(
      commit(1, 0, 1),
      commit(3, 0, 2),
      commit(5, 0, 3),
      { t: 7, k: "crash", n: 0, disk: "torn" },
      { t: 8, k: "restart", n: 0, actor: actors[4] },
      state(9, 0, 0xdd, [1]),
    );
    expect(heldAt(trace, 0, 5)).toEqual([0]);
  });

  test("a snapshot brings every version that its heads cover", () => {
    const trace = traceOf(commit(1, 0, 1), commit(2, 1, 1), commit(3, 0, 2), {
      t: 4,
      k: "snapshot",
      n: 2,
      from: 0,
      heads: { [actors[0] as string]: 1, [actors[1] as string]: 1 },
    });
    expect(heldAt(trace, 2, 3)).toEqual([0, 1]);
  });
});
