import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import {
  ChunkEncoder,
  decodeChanges,
  encodeChunks,
  type RowChange,
} from "../../../core/wire/changes.ts";
import { maxRowsPerPayload, maxValuesPerPayload } from "../../../core/wire/limits.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { Writer } from "../../../core/wire/writer.ts";

const example: readonly RowChange[] = [
  { table: "links", key: ["a", 1], causalLength: 1, cells: [] },
  { table: "links", key: ["a", 2], causalLength: 2, cells: [] },
  {
    table: "services",
    key: [7],
    causalLength: 3,
    cells: [
      { column: "state", value: "up" },
      { column: "hits", add: 2, total: 12 },
      { column: "load", value: { real: 1 } },
    ],
  },
  { table: "services", key: [8], causalLength: 1, cells: [{ column: "load", value: null }] },
];

/** A payload written by hand after its format byte. */
function payload(write: (w: Writer) => void): Uint8Array {
  const w = new Writer();
  w.u8(1);
  write(w);
  return w.finish();
}

/** Table t with one key column. */
function table(w: Writer): void {
  w.u8(1);
  w.string("t");
  w.varint(1);
}

describe("cutting", () => {
  test("WI11: a small version is one payload, and the same again each time", () => {
    const payloads = encodeChunks(example, 1000);
    expect(payloads).toHaveLength(1);
    expect(decodeChanges(payloads[0] as Uint8Array)).toEqual(example);
    expect(encodeChunks(example, 1000)).toEqual(payloads);
  });

  test("WI11: columns and tables are named once in a payload", () => {
    const rows = Array.from({ length: 100 }, (_, i): RowChange => {
      return { ...(example[2] as RowChange), key: [i] };
    });
    const [whole] = encodeChunks(rows, 100_000) as [Uint8Array];
    expect(Buffer.from(whole).toString("latin1").split("services")).toHaveLength(2);
    expect(Buffer.from(whole).toString("latin1").split("state")).toHaveLength(2);
    expect(decodeChanges(whole)).toEqual(rows);
  });

  test("WI11: a payload ends with the row that reaches the target; each can be read alone", () => {
    const rows = Array.from({ length: 50 }, (_, i): RowChange => {
      return {
        table: "t",
        key: [i],
        causalLength: 1,
        cells: [{ column: "c", value: "x".repeat(90) }],
      };
    });
    const payloads = encodeChunks(rows, 300);
    expect(payloads.length).toBeGreaterThan(10);
    for (const [i, one] of payloads.entries()) {
      if (i < payloads.length - 1) expect(one.length).toBeGreaterThanOrEqual(300);
      expect(one.length).toBeLessThan(300 + 110);
      expect(decodeChanges(one).length).toBeGreaterThan(0);
    }
    expect(payloads.flatMap((one) => decodeChanges(one))).toEqual(rows);
  });

  test("WI11: a row longer than the target is a payload of its own", () => {
    const rows = [1, 2, 3].map((id): RowChange => {
      const value = new Uint8Array(5000).fill(id);
      return { table: "t", key: [id], causalLength: 1, cells: [{ column: "c", value }] };
    });
    const payloads = encodeChunks(rows, 100);
    expect(payloads.map((one) => decodeChanges(one).length)).toEqual([1, 1, 1]);
    expect(encodeChunks([], 100)).toEqual([]);
  });

  test("WI11: rows and values are cut at their limits too, whatever the target", () => {
    const rows = Array.from({ length: maxRowsPerPayload + 5 }, (_, i): RowChange => {
      return { table: "t", key: [i], causalLength: 2, cells: [] };
    });
    const byRows = encodeChunks(rows, 2 ** 30).map((one) => decodeChanges(one).length);
    expect(byRows).toEqual([maxRowsPerPayload, 5]);

    const cells = Array.from({ length: 999 }, (_, i) => ({ column: `c${i}`, value: null }));
    const wide = Array.from({ length: 70 }, (_, i): RowChange => {
      return { table: "t", key: [i], causalLength: 1, cells };
    });
    const byValues = encodeChunks(wide, 2 ** 30).map((one) => decodeChanges(one).length);
    expect(byValues).toEqual([Math.floor(maxValuesPerPayload / 1000), 5]);
  });

  test("WI11: rows added one by one make the same payloads; two encoders do not mix", () => {
    const encoder = new ChunkEncoder(60);
    for (const row of example) encoder.add(row);
    expect(encoder.finish()).toEqual(encodeChunks(example, 60));
    const first = new ChunkEncoder(1000);
    const second = new ChunkEncoder(1000);
    first.add(example[0] as RowChange);
    second.add(example[0] as RowChange);
    expect(() => first.add(example[1] as RowChange)).toThrow(InvariantError);
    expect(() => first.finish()).toThrow(InvariantError);
  });

  test("WI12: what no merge could mean is never written", () => {
    const dead = { table: "t", key: [1], causalLength: 2, cells: [{ column: "c", value: 1 }] };
    expect(() => encodeChunks([dead], 100)).toThrow(InvariantError);
    expect(() => encodeChunks([{ ...dead, causalLength: 0, cells: [] }], 100)).toThrow(
      InvariantError,
    );
  });
});

describe("refusals", () => {
  const refused: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ["no byte at all", new Uint8Array(0)],
    ["an unknown format", Uint8Array.of(2)],
    ["a row without a table", payload((w) => w.raw(Uint8Array.of(0, 1, 5, 1, 0)))],
    ["an unknown row flag", payload((w) => w.u8(2))],
    [
      "causal length 0",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 0, 0));
      }),
    ],
    [
      "a deleted row with cells",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 2, 1, 0, 1, 0x63, 0));
      }),
    ],
    [
      "a table without key columns",
      payload((w) => {
        w.u8(1);
        w.string("t");
        w.varint(0);
        w.raw(Uint8Array.of(1, 0));
      }),
    ],
    [
      "more key columns than a key has",
      payload((w) => {
        w.u8(1);
        w.string("t");
        w.varint(65);
        w.raw(new Uint8Array(65));
        w.raw(Uint8Array.of(1, 0));
      }),
    ],
    [
      "a column that was not named",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 1, 1, 1, 0));
      }),
    ],
    [
      "a column written twice",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 1, 2, 0, 1, 0x63, 0, 1, 0));
      }),
    ],
    [
      "a column named twice",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 1, 2, 0, 1, 0x63, 0, 0, 1, 0x63, 0));
      }),
    ],
    [
      "more cells than the bytes can hold",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 1, 0xff, 0x7f, 0));
      }),
    ],
    [
      "a row cut short",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5));
      }),
    ],
    [
      "an addition of what is no value",
      payload((w) => {
        table(w);
        w.raw(Uint8Array.of(1, 5, 1, 1, 0, 1, 0x63, 7, 7, 0));
      }),
    ],
  ];

  test.each(refused)("WI12: %s is refused", (_, bytes) => {
    expect(() => decodeChanges(bytes)).toThrow(WireError);
  });

  test("WI12: a column named twice is refused in wide tables too", () => {
    const bytes = payload((w) => {
      table(w);
      w.raw(Uint8Array.of(1, 5, 1, 31));
      for (let i = 0; i < 31; i++) {
        w.varint(0);
        w.string(`c${i === 30 ? 3 : i}`);
        w.u8(0);
      }
    });
    expect(() => decodeChanges(bytes)).toThrow("column named twice");
  });

  test("WI12: more rows or values than the limits are refused", () => {
    const rows = (count: number) =>
      payload((w) => {
        table(w);
        for (let i = 0; i < count; i++) {
          if (i > 0) w.u8(0);
          w.raw(Uint8Array.of(0, 2, 0));
        }
      });
    expect(decodeChanges(rows(maxRowsPerPayload))).toHaveLength(maxRowsPerPayload);
    expect(() => decodeChanges(rows(maxRowsPerPayload + 1))).toThrow("too many rows");
    const values = payload((w) => {
      w.u8(1);
      w.string("t");
      w.varint(64);
      for (let i = 0; i < 1025; i++) {
        if (i > 0) w.u8(0);
        w.raw(new Uint8Array(64));
        w.raw(Uint8Array.of(2, 0));
      }
    });
    expect(() => decodeChanges(values)).toThrow("too many values");
  });
});
