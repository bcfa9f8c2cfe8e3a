/** What is looked up at a cursor, against the slow and obvious way to find it. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { Loaded } from "../../../visualizer/app/loaded.ts";
import { buildCone, outcomesOf } from "../../../visualizer/model/causality.ts";
import { behind, heldCount, stepAt } from "../../../visualizer/model/convergence.ts";
import { Kind } from "../../../visualizer/model/kinds.ts";
import { MembershipMatrix, viewOf } from "../../../visualizer/model/members.ts";
import { reachOf, reachQuantile } from "../../../visualizer/model/reach.ts";
import { firstAt, isMessage, lastAt, type Trace } from "../../../visualizer/model/trace.ts";
import { buildIndex, eventsOf, type TraceIndex } from "../../../visualizer/model/trace-index.ts";
import { buildTraffic } from "../../../visualizer/model/traffic.ts";
import { visibleMessages } from "../../../visualizer/views/space-time/messages.ts";
import { readTrace } from "./read.ts";
import { syntheticText } from "./synthetic-trace.ts";

let trace: Trace;
let index: TraceIndex;

beforeAll(() => {
  trace = readTrace(
    syntheticText({
      nodes: 4,
      durationMs: 8000,
      commitsPerSec: 6,
      cut: { fromMs: 2000, toMs: 5000 },
      crash: { node: 3, fromMs: 3000, toMs: 4000 },
    }),
  );
  index = buildIndex(trace);
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const eventAt = (x: number): number => Math.min(trace.count - 1, Math.floor(x * trace.count));
const all = (): number[] => Array.from({ length: trace.count }, (_, i) => i);

describe("time", () => {
  test("the events before and after a moment are found", () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 8_500_000 }), (t) => {
        expect(firstAt(trace, t)).toBe(all().filter((i) => (trace.t[i] as number) < t).length);
        expect(lastAt(trace, t)).toBe(all().filter((i) => (trace.t[i] as number) <= t).length - 1);
      }),
      { numRuns: 40 },
    );
  });
});

describe("membership", () => {
  test("the matrix moves forward and back to what the events say", () => {
    const matrix = new MembershipMatrix(trace, index.memberEvents);
    fc.assert(
      fc.property(share, (x) => {
        const event = eventAt(x);
        const wanted = new Int32Array(matrix.nodes ** 2).fill(-1);
        for (let i = 0; i <= event; i++) {
          const n = trace.node[i] as number;
          if (trace.kind[i] === Kind.member)
            wanted[n * matrix.nodes + (trace.peer[i] as number)] = i;
          if (trace.kind[i] === Kind.restart)
            wanted.fill(-1, n * matrix.nodes, (n + 1) * matrix.nodes);
        }
        matrix.moveTo(event);
        expect([...matrix.last]).toEqual([...wanted]);
        for (let n = 0; n < matrix.nodes; n++)
          expect([...viewOf(trace, eventsOf(index, n), event)]).toEqual([
            ...wanted.subarray(n * matrix.nodes, (n + 1) * matrix.nodes),
          ]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("convergence", () => {
  test("versions behind are those committed less those held", () => {
    fc.assert(
      fc.property(share, fc.nat(3), (x, n) => {
        const event = eventAt(x);
        const before = all().slice(0, event + 1);
        const committed = before.filter((i) => trace.kind[i] === Kind.commit).length;
        const held = before.filter(
          (i) =>
            trace.node[i] === n && (trace.kind[i] === Kind.commit || trace.kind[i] === Kind.apply),
        ).length;
        expect(heldCount(index.heldSteps, n, event)).toBe(held);
        expect(behind(index.heldSteps, n, event)).toBe(committed - held);
      }),
      { numRuns: 60 },
    );
  });

  test("agreement counts the running nodes and their different states", () => {
    const { agreement } = index;
    fc.assert(
      fc.property(share, (x) => {
        const event = eventAt(x);
        const t = trace.t[event] as number;
        const hash = new Map<number, number>();
        const running = new Set([0, 1, 2, 3]);
        for (let i = 0; i <= lastAt(trace, t); i++) {
          const n = trace.node[i] as number;
          if (trace.kind[i] === Kind.state) hash.set(n, trace.value[i] as number);
          if (trace.kind[i] === Kind.crash) running.delete(n);
          if (trace.kind[i] === Kind.restart) running.add(n);
        }
        const states = new Set([...hash].filter(([n]) => running.has(n)).map(([, id]) => id));
        const step = stepAt(agreement, t);
        if (hash.size === 0) return;
        expect([agreement.live[step], agreement.distinct[step]]).toEqual([
          running.size,
          states.size,
        ]);
      }),
      { numRuns: 60 },
    );
    expect(agreement.distinct.at(-1)).toBe(1);
    expect(agreement.final.at(-1)).toBe(4);
  });

  test("a write's spread lists who held it when", () => {
    for (let version = 0; version < trace.versions.count; version++) {
      const commit = trace.versions.commit[version] as number;
      const reach = reachOf(trace, index, version);
      const wanted = all()
        .filter(
          (i) =>
            (trace.kind[i] === Kind.commit || trace.kind[i] === Kind.apply) &&
            trace.ref[i] === version,
        )
        .map((i) => (trace.t[i] as number) - (trace.t[commit] as number));
      expect(reach?.arrivals.map(({ delay }) => delay)).toEqual(wanted);
      expect([reach?.total, reach?.untold]).toEqual([4, 0]);
      if (reach === null) continue;
      expect(reachQuantile(reach, 0.5)).toBe(wanted[1] ?? null);
      expect(reachQuantile(reach, 0.99)).toBe(wanted[3] ?? null);
    }
  });
});

describe("causality", () => {
  /** Every event reachable over "same node, later" and "send to receive", one edge at a time. */
  function closure(from: number, forward: boolean): Set<number> {
    const edges = (i: number): number[] => {
      const n = trace.node[i] as number;
      const own = n < 0 ? [] : [...eventsOf(index, n)];
      const at = own.indexOf(i);
      const next = own[at + (forward ? 1 : -1)];
      const list = next === undefined ? [] : [next];
      if (forward && trace.kind[i] === Kind.send)
        list.push(...outcomesOf(trace, i).filter((end) => trace.kind[end] === Kind.recv));
      if (!forward && trace.kind[i] === Kind.recv && (trace.ref[i] as number) >= 0)
        list.push(trace.ref[i] as number);
      return list;
    };
    const seen = new Set<number>();
    const waiting = edges(from);
    while (waiting.length > 0) {
      const i = waiting.pop() as number;
      if (seen.has(i)) continue;
      seen.add(i);
      waiting.push(...edges(i));
    }
    return seen;
  }

  test("past and future of an event are what is reachable from it", () => {
    fc.assert(
      fc.property(share, (x) => {
        const event = eventAt(x);
        const cone = buildCone(trace, event);
        if ((trace.node[event] as number) < 0) return;
        const [past, future] = [closure(event, false), closure(event, true)];
        expect([cone.pastCount, cone.futureCount]).toEqual([past.size, future.size]);
        for (const i of past)
          expect(i).toBeLessThanOrEqual(cone.past[trace.node[i] as number] as number);
        for (const i of future)
          expect(i).toBeGreaterThanOrEqual(cone.future[trace.node[i] as number] as number);
      }),
      { numRuns: 12 },
    );
  });
});

describe("messages in a window", () => {
  test("are all those on their way in it, and no others", () => {
    const loaded = new Loaded(trace, index, { type: "file", name: "x" }, "x");
    fc.assert(
      fc.property(share, fc.integer({ min: 1, max: 300_000 }), fc.nat(7), (x, length, planes) => {
        const from = x * 8_000_000;
        const to = from + length;
        const { outcomes, sampled } = visibleMessages(loaded, from, to, planes);
        expect(sampled).toBe(false);
        const wanted = all().filter((i) => {
          if (trace.kind[i] !== Kind.recv && trace.kind[i] !== Kind.drop) return false;
          const plane = trace.labels[trace.label[i] as number]?.plane ?? -1;
          const sent = trace.t[trace.ref[i] as number] as number;
          return (planes & (1 << plane)) !== 0 && sent < to && (trace.t[i] as number) >= from;
        });
        expect([...outcomes]).toEqual(wanted);
      }),
      { numRuns: 40 },
    );
  });

  test("traffic counts each send once, in its bin and plane", () => {
    const bins = 16;
    const { messages, bytes } = buildTraffic(trace, 0, 8_300_000, bins);
    const sum = (values: Float64Array): number => values.reduce((total, x) => total + x, 0);
    const sends = all().filter(
      (i) => trace.kind[i] === Kind.send && (trace.t[i] as number) < 8_300_000,
    );
    expect(sum(messages)).toBe(sends.length);
    expect(sum(bytes)).toBe(sends.reduce((total, i) => total + (trace.value[i] as number), 0));
    const firstBin = sends.filter((i) => (trace.t[i] as number) < 8_300_000 / bins);
    const swim = firstBin.filter((i) => trace.labels[trace.label[i] as number]?.plane === 0);
    expect(messages[0]).toBe(swim.length);
    expect(all().some((i) => isMessage(trace.kind[i] as number))).toBe(true);
  });
});
