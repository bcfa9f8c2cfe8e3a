/** Traces into columns: every kind of event, any cutting, and what becomes of damaged files. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Kind, kindNames } from "../../../visualizer/model/kinds.ts";
import {
  nodeName,
  pairFirst,
  pairSecond,
  planeOf,
  sideObject,
  type Trace,
  traceMemory,
} from "../../../visualizer/model/trace.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { actors, commit, header, lines, readBytes, readTrace, traceOf } from "./read.ts";
import { syntheticText } from "./synthetic-trace.ts";

describe("events", () => {
  const send = { t: 5, k: "send", n: 0, m: 7, to: 1, plane: "gossip", msg: "push", bytes: 123 };

  test("a message is one send and its receive, which know each other", () => {
    const trace = traceOf(send, {
      t: 9,
      k: "recv",
      n: 1,
      m: 7,
      from: 0,
      plane: "gossip",
      msg: "push",
    });
    expect([...trace.kind]).toEqual([Kind.send, Kind.recv]);
    expect([...trace.t]).toEqual([5, 9]);
    expect([...trace.node]).toEqual([0, 1]);
    expect([...trace.peer]).toEqual([1, 0]);
    expect([...trace.value]).toEqual([123, 123]);
    expect([...trace.ref]).toEqual([1, 0]);
    expect(planeOf(trace, 0)).toBe("gossip");
    expect(trace.labels[trace.label[1] as number]?.msg).toBe("push");
  });

  test("a duplicate arrives twice, and the send knows the first", () => {
    const receive = { t: 9, k: "recv", n: 1, m: 7, from: 0, plane: "gossip", msg: "push" };
    const trace = traceOf(send, receive, { ...receive, t: 11 });
    expect([...trace.ref]).toEqual([1, 0, 0]);
  });

  test("a drop takes plane and kind from its send", () => {
    const trace = traceOf(send, { t: 6, k: "drop", n: 0, m: 7, to: 1, why: "partition" });
    expect(planeOf(trace, 1)).toBe("gossip");
    expect(trace.value[1]).toBe(1);
  });

  test("a receive whose send came before the trace began is kept", () => {
    const trace = traceOf({ t: 9, k: "recv", n: 1, m: 7, from: 0, plane: "swim", msg: "ping" });
    expect(trace.ref[0]).toBe(-1);
    expect(planeOf(trace, 0)).toBe("swim");
  });

  test("a member event keeps observer, subject, state, incarnation and epoch", () => {
    const trace = traceOf({
      t: 1,
      k: "member",
      n: 2,
      about: 1,
      state: "suspect",
      inc: 4,
      epoch: 1_780_000_000_000,
    });
    expect([trace.node[0], trace.peer[0], trace.label[0], trace.value[0], trace.aux[0]]).toEqual([
      2, 1, 2, 4, 1_780_000_000_000,
    ]);
  });

  test("commit, apply and buffer of one version share its id", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 0x123, counter: 0x45 }),
      { t: 2, k: "buffer", n: 1, actor: actors[0], version: 1, have: 1, of: 3 },
      { t: 3, k: "apply", n: 1, actor: actors[0], version: 1, via: "sync", won: 2, lost: 5 },
    );
    expect([...trace.ref]).toEqual([0, 0, 0]);
    expect(trace.versions).toMatchObject({ count: 1 });
    expect([trace.versions.ms[0], trace.versions.counter[0]]).toEqual([0x123, 0x45]);
    const [buffered, applied] = [trace.aux[1] as number, trace.aux[2] as number];
    expect([pairFirst(buffered), pairSecond(buffered)]).toEqual([1, 3]);
    expect([pairFirst(applied), pairSecond(applied), trace.label[2]]).toEqual([2, 5, 1]);
  });

  test("a state tells versions held: heads less gaps", () => {
    const heads = { [actors[0] as string]: 5, [actors[1] as string]: 3 };
    const trace = traceOf({
      t: 1,
      k: "state",
      n: 0,
      hash: "00ff00ff00ff00ff",
      heads,
      gaps: 2,
      rows: 9,
    });
    const packed = trace.aux[0] as number;
    expect([pairFirst(packed), pairSecond(packed), trace.peer[0]]).toEqual([6, 2, 9]);
    expect(trace.hashes[trace.value[0] as number]).toBe("00ff00ff00ff00ff");
  });

  test("heads are kept as changes against the same node's state before", () => {
    const state = (t: number, n: number, a: number, b: number): Record<string, unknown> => ({
      t,
      k: "state",
      n,
      hash: `000000000000000${t}`,
      heads: { [actors[0] as string]: a, [actors[1] as string]: b },
      gaps: 0,
      rows: 1,
    });
    const { heads } = traceOf(state(1, 0, 1, 1), state(2, 1, 1, 1), state(3, 0, 1, 2));
    expect([...heads.offsets]).toEqual([0, 2, 4, 5]);
    expect([...heads.version]).toEqual([1, 1, 1, 1, 2]);
  });

  test("rows gather their writes in the order of commits, whichever node made them", () => {
    const { rows } = traceOf(commit(1, 0, 1), commit(2, 1, 1, { key: "b" }), commit(3, 2, 1));
    expect(rows.key).toEqual(['["a"]', '["b"]']);
    expect([...rows.writeStart]).toEqual([0, 2, 3]);
    expect([...rows.writeVersion]).toEqual([0, 2, 1]);
    expect(rows.tables).toEqual([{ name: "kv", columns: ["v", "n"] }]);
  });

  test("versions rank by stamp, then by actor", () => {
    const { versions } = traceOf(
      commit(1, 2, 1, { ms: 5 }),
      commit(2, 1, 1, { ms: 5 }),
      commit(3, 0, 1, { ms: 4, counter: 9 }),
      commit(4, 0, 2, { ms: 5, counter: 1 }),
    );
    expect([...versions.rank]).toEqual([2, 1, 0, 3]);
  });

  test("a node that joins has its name, region and actor", () => {
    const trace = traceOf({ t: 1, k: "join", n: 3, actor: actors[4], name: "late", region: "syd" });
    expect(nodeName(trace, 3)).toBe("late");
    expect(trace.nodes[3]).toMatchObject({ region: "syd", known: true });
    expect(trace.actors.find(({ id }) => id === actors[4])?.node).toBe(3);
  });

  test("rare events keep their whole line", () => {
    const fault = { t: 1, k: "fault", id: 3, fault: { kind: "partition", groups: [[0], [1, 2]] } };
    const trace = traceOf(fault, { t: 2, k: "violation", check: "no-lost-write", detail: "é€😀" });
    expect(sideObject(trace, trace.ref[0] as number)).toEqual(fault);
    expect(sideObject(trace, trace.ref[1] as number)["detail"]).toBe("é€😀");
  });

  test("lines that are not plain are read as JSON reads them", () => {
    const text =
      lines(header()) +
      ' { "t" : 1.5e1 , "k":"send", "n":0, "m":1, "to":1, "plane":"sw\\u0069m", "msg":"ping", "bytes":1, "later":{"a":[1]} }\r\n';
    const trace = readTrace(text);
    expect(trace.problem).toBeNull();
    expect([trace.t[0], planeOf(trace, 0)]).toEqual([15, "swim"]);
  });

  test("fields and kinds that are not known are passed over, kinds counted", () => {
    const trace = traceOf(
      { ...send, colour: "red", nested: [1, 2] },
      { t: 6, k: "tea", n: 0 },
      { t: 7, k: "tea" },
    );
    expect(trace.count).toBe(1);
    expect(trace.unknownKinds).toEqual([["tea", 2]]);
    expect(trace.problem).toBeNull();
  });

  test("every kind of the format is known", () => {
    expect(new Set(kindNames).size).toBe(20);
  });
});

describe("files that are not whole", () => {
  const text = syntheticText({ nodes: 3, durationMs: 3000, cut: { fromMs: 1000, toMs: 2000 } });
  const bytes = new TextEncoder().encode(text);
  const whole = readBytes(bytes);

  test("however the bytes are cut, the trace is the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), (piece) => {
        expect(readBytes(bytes, piece)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  test("cut short at any byte, it opens up to the last whole line and says so", () => {
    const ends: number[] = [];
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at);
    fc.assert(
      fc.property(fc.integer({ min: (ends[0] as number) + 1, max: bytes.length - 1 }), (length) => {
        const trace = readBytes(bytes.subarray(0, length));
        const wholeLines = ends.filter((end) => end < length).length;
        // A line that lacks nothing but its newline is whole.
        const complete = ends.includes(length);
        expect(trace.count).toBe(wholeLines - 1 + (complete ? 1 : 0));
        const clean = complete || ends.includes(length - 1);
        expect(trace.problem === null ? null : trace.problem.kind).toBe(clean ? null : "truncated");
        expect(trace.ended).toBe(trace.count === whole.count);
        expect([...trace.t]).toEqual([...whole.t.subarray(0, trace.count)]);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["no JSON", "}{"],
    ["no object", "[1,2]"],
    ["no kind", '{"t":99999999}'],
    ["no time", '{"k":"pause","n":0}'],
    ["a negative node", '{"t":99999999,"k":"pause","n":-1}'],
    ["a node beyond all bounds", '{"t":99999999,"k":"pause","n":70000}'],
    [
      "a message without its number",
      '{"t":99999999,"k":"send","n":0,"to":1,"plane":"swim","msg":"ping","bytes":1}',
    ],
    [
      "a commit without a stamp",
      `{"t":99999999,"k":"commit","n":0,"actor":"${actors[0]}","version":1,"changes":[]}`,
    ],
    [
      "changes of a wrong shape",
      `{"t":99999999,"k":"commit","n":0,"actor":"${actors[0]}","version":1,"hlc":"0000000000000000","changes":[["kv",1,1,[]]]}`,
    ],
    ["time that runs backwards", '{"t":0,"k":"pause","n":0}'],
  ])("damaged by a line with %s, it opens up to there and names the line", (_, line) => {
    const all = text.split("\n");
    const damaged = [...all.slice(0, 50), line, ...all.slice(50)].join("\n");
    const trace = readTrace(damaged);
    expect(trace.count).toBe(49);
    expect(trace.problem).toMatchObject({ kind: "damaged", line: 51 });
    expect(() => buildIndex(trace)).not.toThrow();
  });

  test("bytes that were never a trace are refused by their first line", () => {
    const builders = ["", "hello\n", "[]\n", '{"trace":2}\n', "\0\0\0\n"].map((one) =>
      readTrace(one),
    );
    expect(builders.map(({ count, problem }) => [count, problem !== null])).toEqual(
      builders.map(() => [0, true]),
    );
    expect(builders[3]?.problem?.why).toBe("trace format 2; this page reads format 1");
  });

  test("arbitrary bytes behind a header never throw, and what is read can be indexed", () => {
    const head = new TextEncoder().encode(lines(header()));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const trace = readBytes(Uint8Array.of(...head, ...noise));
        buildIndex(trace);
        expect(trace.problem !== null || noise.length === 0 || trace.unknownKinds.length > 0).toBe(
          true,
        );
      }),
    );
  });
});

describe("size", () => {
  test("an event takes less than 100 bytes, indexes included", () => {
    const trace: Trace = readTrace(
      syntheticText({ nodes: 8, durationMs: 60_000, commitsPerSec: 40, pingsPerSec: 10 }),
    );
    const bytes = traceMemory(trace) + traceMemory(buildIndex(trace) as unknown as Trace);
    expect(trace.count).toBeGreaterThan(50_000);
    expect(bytes / trace.count).toBeLessThan(100);
  });
});
