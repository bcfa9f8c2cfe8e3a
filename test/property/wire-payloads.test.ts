/** What travels and is stored inside messages: values, row changes, chunks, row states. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeChanges, encodeChunks } from "../../core/wire/changes.ts";
import { readChunk, writeChunk } from "../../core/wire/chunk.ts";
import { Reader } from "../../core/wire/reader.ts";
import { decodeRowCells, encodeRowCells } from "../../core/wire/row-state.ts";
import { readValue, writeValue } from "../../core/wire/values.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import { Writer } from "../../core/wire/writer.ts";
import { anyValue } from "./arbitraries.ts";
import { damage, mutated, weigh } from "./hostile-bytes.ts";
import { anyChunk } from "./chunk-arbitraries.ts";
import { anyRowCells, anyRows } from "./message-arbitraries.ts";

/** What `decode` makes of hostile bytes: nothing but a WireError may come out beside a result. */
function attempt<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

describe("values", () => {
  test("WI09: any value comes back as it was, class and bits, and takes all its bytes", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 20 }), (values) => {
        const w = new Writer();
        for (const value of values) writeValue(w, value);
        const r = new Reader(w.finish());
        expect(values.map(() => readValue(r))).toEqual(values);
        expect(r.remaining).toBe(0);
      }),
    );
  });

  test("WI10: bytes that are a value are the very bytes that it is written in", () => {
    let accepted = 0;
    const noise = fc
      .tuple(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 12 }))
      .map(([tag, rest]) => Uint8Array.from([tag, ...rest]));
    fc.assert(
      fc.property(noise, (bytes) => {
        const r = new Reader(bytes);
        const value = attempt(() => readValue(r));
        if (value === null && bytes[0] !== 0) return;
        accepted++;
        const w = new Writer();
        writeValue(w, value);
        expect(w.finish()).toEqual(bytes.subarray(0, bytes.length - r.remaining));
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});

describe("row changes", () => {
  test("WI11: any rows come back in order from payloads of any size, each read by itself", () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 600 }), (rows, target) => {
        const payloads = encodeChunks(rows, target);
        expect(payloads.flatMap((payload) => decodeChanges(payload))).toEqual(rows);
        expect(encodeChunks(rows, target)).toEqual(payloads);
      }),
      { numRuns: 500 },
    );
  });

  test("WI12: damaged payloads are refused or are rows that could be written; they never weigh more than their bytes allow", () => {
    let refused = 0;
    fc.assert(
      fc.property(anyRows, fc.array(damage, { minLength: 1, maxLength: 4 }), (rows, damages) => {
        const bytes = mutated(encodeChunks(rows, 1 << 20)[0] ?? new Uint8Array(1), damages, 1);
        const decoded = attempt(() => decodeChanges(bytes));
        if (decoded === null) {
          refused++;
          return;
        }
        expect(weigh(decoded)).toBeLessThanOrEqual(100 + 100 * bytes.length);
        const again = encodeChunks(decoded, 1 << 20).flatMap((payload) => decodeChanges(payload));
        expect(again).toEqual(decoded);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(200);
  });
});

describe("chunks", () => {
  test("WI13: any chunk comes back as it was", () => {
    fc.assert(
      fc.property(anyChunk, (chunk) => {
        const w = new Writer();
        writeChunk(w, chunk);
        expect(readChunk(new Reader(w.finish()))).toEqual(chunk);
      }),
    );
  });
});

describe("row states", () => {
  test("WI14: any cells come back with their stamps and totals", () => {
    fc.assert(
      fc.property(anyRowCells, (row) => {
        expect(decodeRowCells(encodeRowCells(row))).toEqual(row);
      }),
      { numRuns: 500 },
    );
  });

  test("WI14: damaged cells are refused or are cells that could be written", () => {
    let refused = 0;
    fc.assert(
      fc.property(anyRowCells, fc.array(damage, { minLength: 1, maxLength: 4 }), (row, damages) => {
        const bytes = mutated(encodeRowCells(row), damages, 0);
        const decoded = attempt(() => decodeRowCells(bytes));
        if (decoded === null) {
          refused++;
          return;
        }
        expect(weigh(decoded)).toBeLessThanOrEqual(100 + 100 * bytes.length);
        expect(decodeRowCells(encodeRowCells(decoded))).toEqual(decoded);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(200);
  });
});
