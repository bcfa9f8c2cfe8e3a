/** The small structures under the columns, against plain maps and arrays. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteDictionary } from "../../../visualizer/model/byte-dictionary.ts";
import { grown, IntList } from "../../../visualizer/model/grow.ts";
import { IndexMap } from "../../../visualizer/model/index-map.ts";

describe("byte dictionary", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 4 }).map((one) => one.toWellFormed()),
    fc.nat(50).map((n) => `actor ${n}`),
  );

  test("gives equal bytes one number, different bytes different ones", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
        const dictionary = new ByteDictionary();
        const numbers = texts.map((one) => dictionary.internText(one));
        const distinct = [...new Set(texts)];
        expect(numbers).toEqual(texts.map((one) => distinct.indexOf(one)));
        expect(distinct.map((_, number) => dictionary.text(number))).toEqual(distinct);
      }),
    );
  });

  test("keeps its numbers through any growth", () => {
    const dictionary = new ByteDictionary();
    const texts = Array.from({ length: 5000 }, (_, i) => `${(i * 7919) % 5003}:${i % 7}`);
    const first = texts.map((one) => dictionary.internText(one));
    expect(texts.map((one) => dictionary.internText(one))).toEqual(first);
    expect(first.map((number) => dictionary.text(number))).toEqual(texts);
  });
});

describe("index map", () => {
  test("holds dense and far-off keys as a Map does", () => {
    const key = fc.oneof(
      { weight: 5, arbitrary: fc.nat(5000) },
      { weight: 1, arbitrary: fc.nat(Number.MAX_SAFE_INTEGER) },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.nat(1e9)), { maxLength: 400 }), (entries) => {
        const map = new IndexMap();
        const model = new Map<number, number>();
        for (const [k, value] of entries) {
          map.set(k, value);
          model.set(k, value);
        }
        for (const [k] of entries) {
          expect(map.get(k)).toBe(model.get(k));
          expect(map.get(k + 1)).toBe(model.get(k + 1) ?? -1);
        }
      }),
    );
  });

  test("makes no array as long as one far-off key is large", () => {
    const map = new IndexMap();
    map.set(2 ** 52, 7);
    expect([map.get(2 ** 52), map.get(2 ** 52 - 1), map.get(0)]).toEqual([7, -1, -1]);
  });
});

describe("growing columns", () => {
  test("keep what was in them", () => {
    const list = new IntList(1);
    const numbers = Array.from({ length: 1000 }, (_, i) => i * 3 - 500);
    for (const number of numbers) list.push(number);
    expect([...list.toArray()]).toEqual(numbers);
    const small = Float64Array.of(1, 2);
    expect(grown(small, 2)).toBe(small);
    expect([...grown(small, 3).subarray(0, 2)]).toEqual([1, 2]);
  });
});
