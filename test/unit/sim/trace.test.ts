import fc from "fast-check";
import { expect, test } from "vitest";
import type { Value } from "../../../core/crdt/value.ts";
import { traceChanges } from "../../../core/trace/changes.ts";
import { RunningHash } from "../../../core/trace/running-hash.ts";
import { tagValue, untagValue } from "../../../core/trace/tagged-value.ts";
import { parseTraceLine, traceLine } from "../../../core/trace/trace-event.ts";
import { Ledger } from "../../../core/sync/ledger.ts";
import { SimTrace } from "../../../sim/trace.ts";
import { actorA, version } from "./fake-cluster.ts";

test.each<[Value, unknown]>([
  [null, null],
  [5, 5],
  [-(2 ** 53) + 1, -(2 ** 53) + 1],
  [2n ** 53n, { int: "9007199254740992" }],
  [-(2n ** 63n), { int: "-9223372036854775808" }],
  [1.5, 1.5],
  [{ real: 1 }, { real: 1 }],
  [{ real: Infinity }, { real: "inf" }],
  [{ real: -Infinity }, { real: "-inf" }],
  ["a\u0000b", "a\u0000b"],
  [Uint8Array.of(0, 255), { blob: "00ff" }],
])("SI15: the value %o is written %j and read back", (value, json) => {
  expect(tagValue(value)).toEqual(json);
  const again = untagValue(JSON.parse(JSON.stringify(tagValue(value))));
  expect(again).toEqual({ ok: true, value });
});

test("SI15: integers in tags come back as what they are", () => {
  expect(untagValue({ int: "7" })).toEqual({ ok: true, value: 7 });
  expect(untagValue({ real: 0.5 })).toEqual({ ok: true, value: 0.5 });
  expect(untagValue({ real: -0 })).toEqual({ ok: true, value: { real: 0 } });
  expect(untagValue(-0)).toEqual({ ok: true, value: 0 });
});

test.each([
  true,
  [],
  {},
  { int: 5 },
  { int: "9223372036854775808" },
  { int: "01" },
  { real: "nan" },
  { blob: "0" },
  { blob: "AA" },
  { blob: "00", int: "1" },
  { text: "x" },
  2 ** 53,
  1e300,
])("SI15: %j is no value", (json) => {
  expect(untagValue(json).ok).toBe(false);
});

test("SI15: any JSON is a value or says why not", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const untagged = untagValue(json);
      if (untagged.ok) {
        const again = untagValue(JSON.parse(JSON.stringify(tagValue(untagged.value))));
        expect(again).toEqual(untagged);
      } else expect(untagged.error.length).toBeGreaterThan(10);
    }),
  );
});

test("SI15: a commit lists rows with key, causal length and cells; an increment says so", () => {
  const chunks = version(actorA, 1, 1, [
    { k: "a", cl: 1, cells: { v: "x", n: null } },
    { k: "b", cl: 2 },
  ]);
  expect(traceChanges(chunks)).toEqual([
    [
      "kv",
      ["a"],
      1,
      [
        ["v", "x"],
        ["n", null],
      ],
    ],
    ["kv", ["b"], 2, []],
  ]);
});

test("SI15: heads are the highest versions held whole; lower ones that are not are gaps", () => {
  const state = (head: number, gaps: [number, number][], parts: number[]): unknown => {
    const partial = parts.map((v) => ({ version: v, count: 2, have: [[0, 0]] as const }));
    const ledger = new Ledger([{ actor: actorA, head, gaps, partial }]);
    const lines: string[] = [];
    const summary = { hash: "0123456789abcdef", rows: 3 };
    new SimTrace((line) => lines.push(line)).state(1, 0, summary, ledger);
    return JSON.parse(lines[0] as string);
  };
  const line = { t: 1, k: "state", n: 0, hash: "0123456789abcdef", rows: 3 };
  expect(state(5, [], [])).toEqual({ ...line, heads: { [actorA]: 5 }, gaps: 0 });
  expect(state(5, [[2, 3]], [])).toEqual({ ...line, heads: { [actorA]: 5 }, gaps: 2 });
  expect(state(5, [[2, 3]], [5])).toEqual({ ...line, heads: { [actorA]: 4 }, gaps: 2 });
  expect(state(5, [[1, 3]], [4, 5])).toEqual({ ...line, heads: {}, gaps: 0 });
});

test("SI15: a truncated line is told from a whole one", () => {
  const line = traceLine({ t: 1, k: "pause", n: 2 });
  expect(line).toBe('{"t":1,"k":"pause","n":2}\n');
  expect(parseTraceLine(line)).toEqual({ t: 1, k: "pause", n: 2 });
  expect(parseTraceLine(line.slice(0, 9))).toBeNull();
  expect(parseTraceLine("5")).toBeNull();
});

test("SI01: every field counts in the hash, and the lines do not", () => {
  const hash = (written: boolean, n: number): string => {
    const trace = new SimTrace(written ? () => undefined : null);
    trace.need(5, n, actorA, 1, 2);
    trace.member(6, 0, 1, "alive", 3, 4);
    trace.write({ t: 7, k: "pause", n: 0 });
    return trace.hash.digest();
  };
  expect(hash(true, 0)).toBe(hash(false, 0));
  expect(hash(false, 1)).not.toBe(hash(false, 0));
});

test("SI01: the hash tells order, length and every bit apart", () => {
  const of = (feed: (hash: RunningHash) => void): string => {
    const hash = new RunningHash();
    feed(hash);
    return hash.digest();
  };
  const digests = [
    of(() => undefined),
    of((h) => h.word(0)),
    of((h) => h.word(1)),
    of((h) => h.integer(2 ** 40)),
    of((h) => h.integer(2 ** 41)),
    of((h) => h.text("ab")),
    of((h) => h.text("ba")),
    of((h) => {
      h.text("a");
      h.text("b");
    }),
    of((h) => h.bytes(Uint8Array.of(1, 2))),
    of((h) => h.bytes(Uint8Array.of(2, 1))),
  ];
  expect(new Set(digests).size).toBe(digests.length);
  for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/);
});
