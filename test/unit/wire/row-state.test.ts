import { describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import { Reader } from "../../../core/wire/reader.ts";
import {
  decodeRowCells,
  encodeRowCells,
  readRowState,
  type RowCells,
  type Stamp,
  writeRowState,
} from "../../../core/wire/row-state.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { Writer } from "../../../core/wire/writer.ts";

const a: Stamp = { hlc: { ms: 1000, counter: 1 }, actor: actorId("a".repeat(32)) };
const b: Stamp = { hlc: { ms: 1000, counter: 1 }, actor: actorId("b".repeat(32)) };
const later: Stamp = { hlc: { ms: 2000, counter: 0 }, actor: a.actor };

const example: RowCells = {
  sentinel: null,
  cells: [
    { column: "state", base: { stamp: a, value: "up" }, totals: [] },
    { column: "load", base: { stamp: b, value: 0.5 }, totals: [] },
    { column: "note", base: { stamp: a, value: null }, totals: [] },
    {
      column: "hits",
      base: null,
      totals: [
        { stamp: later, total: 3 },
        { stamp: b, total: 2n ** 60n },
      ],
    },
  ],
};

describe("row cells", () => {
  test("WI14: cells, stamps and totals come back exactly", () => {
    expect(decodeRowCells(encodeRowCells(example))).toEqual(example);
    const tombstone: RowCells = { sentinel: b, cells: [] };
    expect(decodeRowCells(encodeRowCells(tombstone))).toEqual(tombstone);
  });

  test("WI14: a stamp that many cells share is written once", () => {
    const cells = Array.from({ length: 10 }, (_, i) => ({
      column: `c${i}`,
      base: { stamp: { ...a }, value: i },
      totals: [],
    }));
    const bytes = encodeRowCells({ sentinel: a, cells });
    expect(Buffer.from(bytes).toString("hex").split("a".repeat(32))).toHaveLength(2);
    expect(decodeRowCells(bytes)).toEqual({ sentinel: a, cells });
  });

  test("WI14: more stamps than are looked back for are written again, and come back all the same", () => {
    const stamps = Array.from(
      { length: 40 },
      (_, i): Stamp => ({ ...a, hlc: { ms: i, counter: 0 } }),
    );
    const cells = [...stamps, ...stamps].map((stamp, i) => ({
      column: `c${i}`,
      base: { stamp, value: i },
      totals: [],
    }));
    expect(decodeRowCells(encodeRowCells({ sentinel: null, cells }))).toEqual({
      sentinel: null,
      cells,
    });
  });

  test("WI14: a row state comes back whole", () => {
    const w = new Writer();
    const row = {
      table: "services",
      key: new Uint8Array(100).fill(9),
      causalLength: 5,
      cells: encodeRowCells(example),
    };
    writeRowState(w, row);
    expect(readRowState(new Reader(w.finish()))).toEqual(row);
  });

  const stampBytes = (w: Writer) => {
    w.varint(0);
    w.raw(new Uint8Array(8));
    w.id(a.actor);
  };
  const written = (write: (w: Writer) => void): Uint8Array => {
    const w = new Writer();
    write(w);
    return w.finish();
  };
  const refused: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ["a stamp that was not given", Uint8Array.of(1, 1, 0)],
    ["a flag that is neither 0 nor 1", Uint8Array.of(2, 0)],
    ["more cells than the bytes can hold", Uint8Array.of(0, 9)],
    ["a column twice", written((w) => w.raw(Uint8Array.of(0, 2, 1, 0x63, 0, 0, 1, 0x63, 0, 0)))],
    [
      "totals out of order",
      written((w) => {
        w.raw(Uint8Array.of(0, 1, 1, 0x63, 0, 2));
        stampBytes(w);
        w.u8(0);
        stampBytes(w);
        w.u8(0);
      }),
    ],
    ["bytes after the last cell", Uint8Array.of(0, 0, 0)],
  ];

  test.each(refused)("WI14: %s is refused", (_, bytes) => {
    expect(() => decodeRowCells(bytes)).toThrow(WireError);
  });

  test("WI14: a row state with causal length 0 is refused", () => {
    expect(() => readRowState(new Reader(Uint8Array.of(1, 0x74, 0, 0, 0)))).toThrow(WireError);
  });
});
