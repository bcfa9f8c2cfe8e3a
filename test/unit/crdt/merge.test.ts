/** The decision tables of the merge, cell by cell, and the counting of what lives. */
import { describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import { encodeKeyText } from "../../../core/crdt/key.ts";
import { decideLife, mergeChange, type PreparedChange } from "../../../core/crdt/merge.ts";
import { compareOrigins, Origin } from "../../../core/crdt/origin.ts";
import { parseSchema } from "../../../core/crdt/parse-schema.ts";
import { counterValue, wins } from "../../../core/crdt/policies.ts";
import { Row } from "../../../core/crdt/row.ts";
import type { MergePolicy } from "../../../core/crdt/schema.ts";
import { Hasher, StateSum } from "../../../core/crdt/state-hash.ts";
import { TableRules } from "../../../core/crdt/table-rules.ts";
import type { Value } from "../../../core/crdt/value.ts";

const alice = actorId("a".repeat(32));
const bob = actorId("b".repeat(32));
const at = (ms: number, actor = alice, counter = 0) => new Origin(actor, { ms, counter }, 1);

describe("lives", () => {
  test.each([
    [0, 1, "begins", "a row never seen is inserted"],
    [0, 2, "ends", "a row never seen is known to be dead"],
    [1, 1, "same", "a living row is written in its life"],
    [1, 2, "ends", "a living row is deleted"],
    [1, 3, "begins", "a living row is inserted again before its delete was heard of"],
    [2, 1, "stale", "a dead row was updated in the life that ended"],
    [2, 2, "same", "a dead row is deleted by another as well"],
    [2, 3, "begins", "a dead row is inserted again"],
    [2, 4, "ends", "a dead row died again in between"],
    [3, 2, "stale", "the delete of an earlier life comes late"],
    [3, 1, "stale", "an update of an earlier life comes late"],
    [3, 4, "ends", "a row inserted again is deleted"],
  ] as [number, number, string, string][])(
    "CR01: held %i, incoming %i: %s: %s",
    (held, incoming, decision) => {
      expect(decideLife(held, incoming)).toBe(decision);
    },
  );
});

describe("writes of one cell", () => {
  test.each<[MergePolicy, Value, number, Value, number, boolean, string]>([
    ["lww", 1, 2, 9, 1, true, "the later stamp wins whatever the values"],
    ["lww", 9, 1, 1, 2, false, "the earlier stamp loses"],
    ["lww", 1, 1, 1, 1, false, "a write does not win over itself"],
    ["counter", 1, 2, 9, 1, true, "of two beginnings the later wins"],
    ["counter", 9, 1, 1, 2, false, "of two beginnings the earlier loses"],
    ["max", 9, 1, 1, 2, true, "the larger value wins with the earlier stamp"],
    ["max", 1, 2, 9, 1, false, "the smaller value loses with the later stamp"],
    ["max", 5, 2, 5, 1, true, "of equal values the later stamp wins"],
    ["max", 5, 1, 5, 2, false, "of equal values the earlier stamp loses"],
    ["max", null, 2, 5, 1, false, "NULL loses to a value"],
    ["max", -5, 1, null, 2, true, "any value wins over NULL"],
    ["max", null, 2, null, 1, true, "of two NULLs the later stamp wins"],
    ["max", "a", 1, 9, 2, true, "text is larger than numbers"],
    ["min", 1, 1, 9, 2, true, "the smaller value wins with the earlier stamp"],
    ["min", 9, 2, 1, 1, false, "the larger value loses with the later stamp"],
    ["min", 5, 2, 5, 1, true, "of equal values the later stamp wins, for min too"],
    ["min", null, 2, 5, 1, false, "NULL is not the smallest value"],
    ["min", 5, 1, null, 2, true, "any value wins over NULL, for min too"],
  ])("CR13: %s %j@%i against %j@%i: %s: %s", (policy, value, ms, heldValue, heldMs, expected) => {
    expect(wins(policy, value, at(ms), heldValue, at(heldMs))).toBe(expected);
  });

  test("CR06: stamps are ordered by milliseconds, then counter, then actor", () => {
    const sorted = [at(1), at(1, bob), at(1, alice, 1), at(1, bob, 1), at(2), at(2, bob)];
    sorted.forEach((a, i) => {
      sorted.forEach((b, j) => expect(Math.sign(compareOrigins(a, b))).toBe(Math.sign(i - j)));
    });
    expect(compareOrigins(at(3), at(3))).toBe(0);
  });

  test("CR14: a counter shows the exact sum of its beginning and its tallies, kept inside 64 bits", () => {
    const sums: [base: Value, totals: Value[], sum: Value][] = [
      [0, [], 0],
      [10, [1, -4], 7],
      [2 ** 53 - 1, [1], 2n ** 53n],
      [2n ** 62n, [2n ** 62n], 2n ** 63n - 1n],
      [-(2n ** 63n), [-1], -(2n ** 63n)],
      [2n ** 63n - 1n, [5, -5], 2n ** 63n - 1n],
      [2n ** 53n, [-(2 ** 53 - 1)], 1],
    ];
    for (const [base, totals, sum] of sums) {
      const tallies = totals.map((total) => ({ origin: at(1), total }));
      expect(counterValue({ base, tallies })).toBe(sum);
    }
  });
});

describe("counting", () => {
  const parsed = parseSchema([
    "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT, n INTEGER COUNTER NOT NULL DEFAULT 3)",
  ]);
  if (!parsed.ok) throw new Error(parsed.error);
  const rules = new TableRules(parsed.tables[0] as (typeof parsed.tables)[number]);
  const newRow = () => new Row(rules, encodeKeyText([1]), [1]);
  const change = (
    causalLength: number,
    cells: readonly (readonly [column: number, value: Value, total?: boolean])[] = [],
  ): PreparedChange => ({
    rules,
    keyText: encodeKeyText([1]),
    key: [1],
    causalLength,
    columns: cells.map(([column]) => column),
    values: cells.map(([, value]) => value),
    totals: cells.map(([, , total]) => total === true),
  });

  test("BK27: a version's living pieces are counted down as others overwrite them", () => {
    const dead: Origin[] = [];
    const version = (n: number) => new Origin(alice, { ms: n, counter: 0 }, n, dead);
    const [insert, update, add, again] = [version(1), version(2), version(3), version(4)] as [
      Origin,
      Origin,
      Origin,
      Origin,
    ];
    const row = newRow();
    const sum = new StateSum();
    expect(
      mergeChange(
        row,
        change(1, [
          [0, "x"],
          [1, 5],
        ]),
        insert,
        sum,
      ),
    ).toBe(2);
    expect(insert.live).toBe(2);
    mergeChange(row, change(1, [[0, "y"]]), update, sum);
    mergeChange(row, change(1, [[1, 2, true]]), add, sum);
    expect([insert.live, update.live, add.live]).toEqual([1, 1, 1]);
    expect(row.values).toEqual(["y", 7]);
    expect(dead).toEqual([]);
    mergeChange(row, change(2), again, sum);
    expect([insert.live, update.live, add.live, again.live]).toEqual([0, 0, 0, 1]);
    expect(dead.map((origin) => origin.version).sort((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(sum).toMatchObject({ a: 0, b: 0, rows: 0 });
  });

  test("CR03: a life that begins with some cells has the defaults in the others, unstamped", () => {
    const row = newRow();
    const sum = new StateSum();
    mergeChange(
      row,
      change(1, [
        [0, "x"],
        [1, 5],
      ]),
      at(1),
      sum,
    );
    mergeChange(row, change(3, [[1, 1, true]]), at(2), sum);
    expect(row.values).toEqual([null, 4]);
    expect(row.origins).toEqual([null, null]);
    expect(sum.rows).toBe(1);
  });

  test("CR12: a change merged twice changes nothing the second time", () => {
    const row = newRow();
    const sum = new StateSum();
    const origin = at(1);
    for (const each of [
      change(1, [
        [0, "x"],
        [1, 5],
      ]),
      change(1, [[1, 5, true]]),
      change(2),
    ]) {
      expect(mergeChange(row, each, origin, sum)).toBeGreaterThan(0);
      const before = [sum.hex(), sum.rows, origin.live];
      expect(mergeChange(row, each, origin, sum)).toBe(0);
      expect([sum.hex(), sum.rows, origin.live]).toEqual(before);
    }
  });
});

describe("hashes", () => {
  const hashOf = (feed: (hasher: Hasher) => void): string => {
    const hasher = new Hasher();
    hasher.begin(1, 2);
    feed(hasher);
    hasher.finish();
    return `${hasher.a} ${hasher.b}`;
  };

  test("CR22: values that differ in class, sign or length hash apart", () => {
    const values: Value[] = [
      null,
      0,
      1,
      -1,
      2 ** 32,
      -(2 ** 32),
      2n ** 63n - 1n,
      -(2n ** 63n),
      { real: 0 },
      { real: 1 },
      1.5,
      -1.5,
      { real: Infinity },
      "",
      "\0",
      "0",
      "1",
      "a",
      "ab",
      "ba",
      "a\0",
      new Uint8Array(0),
      new Uint8Array(1),
      new Uint8Array(2),
      new Uint8Array([1]),
      new Uint8Array([97]),
      new Uint8Array([1, 0, 0, 0]),
    ];
    const hashes = values.map((value) => hashOf((hasher) => hasher.value(value)));
    expect(new Set(hashes).size).toBe(values.length);
  });

  test("CR22: an integer hashes alike as a number and as a bigint", () => {
    for (const n of [
      0,
      7,
      -7,
      2 ** 40,
      -(2 ** 40),
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ]) {
      expect(hashOf((h) => h.value(n))).toBe(hashOf((h) => h.value(BigInt(n) as unknown as Value)));
    }
  });

  test("CR22: many similar inputs give many hashes, in each lane, with every bit in use", () => {
    const lanes: [Set<number>, Set<number>] = [new Set(), new Set()];
    const ones = Array.from({ length: 64 }, () => 0);
    const inputs = 20_000;
    const hasher = new Hasher();
    for (let i = 0; i < inputs; i++) {
      hasher.begin(0, 0);
      hasher.value(i);
      hasher.finish();
      lanes[0].add(hasher.a);
      lanes[1].add(hasher.b);
      for (let bit = 0; bit < 64; bit++) {
        const lane = bit < 32 ? hasher.a : hasher.b;
        ones[bit] = (ones[bit] as number) + ((lane >>> (bit % 32)) & 1);
      }
    }
    // By the birthday bound 20,000 draws from 2^32 meet about 0.05 times.
    expect(lanes[0].size).toBeGreaterThan(inputs - 4);
    expect(lanes[1].size).toBeGreaterThan(inputs - 4);
    for (const count of ones) expect(Math.abs(count - inputs / 2)).toBeLessThan(inputs * 0.025);
  });

  test("CR22: adding and taking away in any order comes back to nothing", () => {
    const sum = new StateSum();
    const hasher = new Hasher();
    const feed = (i: number) => {
      hasher.begin(i, -i);
      hasher.finish();
      return hasher;
    };
    for (let i = 0; i < 100; i++) sum.add(feed(i));
    expect(sum.hex()).toMatch(/^[0-9a-f]{16}$/);
    for (let i = 99; i >= 0; i--) sum.remove(feed(i));
    expect(sum.hex()).toBe("0".repeat(16));
  });
});
