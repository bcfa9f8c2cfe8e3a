import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import { Reader } from "../../../core/wire/reader.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { Writer } from "../../../core/wire/writer.ts";

const written = (write: (w: Writer) => void): Uint8Array => {
  const w = new Writer(1);
  write(w);
  return w.finish();
};
const reader = (...bytes: number[]): Reader => new Reader(Uint8Array.from(bytes));

describe("numbers", () => {
  test.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [16_383, [0xff, 0x7f]],
    [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [2 ** 31, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [2 ** 32 + 5, [0x85, 0x80, 0x80, 0x80, 0x10]],
    [2 ** 53 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])("WI02: %d is a varint of the bytes that LEB128 gives it", (n, bytes) => {
    expect([...written((w) => w.varint(n))]).toEqual(bytes);
    expect(reader(...bytes).varint()).toBe(n);
  });

  test.each([
    ["longer than needed", [0x80, 0]],
    ["past 2^53 - 1", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ["of nine bytes", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    ["cut short", [0x80]],
  ])("WI02: a varint %s is refused", (_, bytes) => {
    expect(() => reader(...bytes).varint()).toThrow(WireError);
  });

  test("WI02: fixed numbers are big-endian and keep all their bits", () => {
    const bytes = written((w) => {
      w.u8(0xfe);
      w.u16(0xfedc);
      w.u32(0xfedc_ba98);
      w.f64(-1.5);
      w.i64(-(2n ** 63n));
    });
    expect(Buffer.from(bytes).toString("hex")).toBe(
      "fefedcfedcba98bff80000000000008000000000000000",
    );
    const r = new Reader(bytes);
    expect([r.u8(), r.u16(), r.u32(), r.f64(), r.i64()]).toEqual([
      0xfe,
      0xfedc,
      0xfedc_ba98,
      -1.5,
      -(2n ** 63n),
    ]);
    expect(r.remaining).toBe(0);
  });

  test("WI02: a number that does not fit is a broken invariant of the writer", () => {
    const w = new Writer();
    expect(() => w.u8(256)).toThrow(InvariantError);
    expect(() => w.u16(-1)).toThrow(InvariantError);
    expect(() => w.u32(2 ** 32)).toThrow(InvariantError);
    expect(() => w.varint(-1)).toThrow(InvariantError);
    expect(() => w.varint(2 ** 53)).toThrow(InvariantError);
    expect(() => w.i64(2n ** 63n)).toThrow(InvariantError);
  });
});

describe("text and bytes", () => {
  test("WI03: a lone surrogate goes out as U+FFFD, all other text as it is", () => {
    for (const text of ["", "services", "é€😀", "x".repeat(42), "€".repeat(43), "\0"]) {
      expect(new Reader(written((w) => w.string(text))).string(1000)).toBe(text);
    }
    expect(new Reader(written((w) => w.string("a\ud800b"))).string(9)).toBe("a\ufffdb");
  });

  test("WI03: text that is not UTF-8 is refused, whether it is short or long", () => {
    expect(() => reader(2, 0xc0, 0xaf).string(9)).toThrow(WireError);
    const long = new Uint8Array(101).fill(0x61);
    long[0] = 100;
    long[50] = 0xff;
    expect(() => new Reader(long).string(200)).toThrow(WireError);
  });

  test("WI03: names that differ by one byte or by their encoding are told apart when read again and again", () => {
    const names = ["ab", "ba", "aa", "Ā", "\u00c4\u0080", "n1", "n2", "", "é", "Ã©"];
    for (let round = 0; round < 3; round++) {
      for (const name of names) {
        expect(new Reader(written((w) => w.string(name))).string(9)).toBe(name);
      }
    }
  });

  test("WI04: a length past the bytes that remain, or past the maximum, is refused", () => {
    expect(() => reader(5, 1, 2).bytes(100)).toThrow(WireError);
    expect(() => reader(3, 1, 2, 3).bytes(2)).toThrow(WireError);
    expect(() => reader(3, 0x61, 0x61, 0x61).string(2)).toThrow(WireError);
    expect(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f).bytes(2 ** 53)).toThrow(
      WireError,
    );
    expect(() => reader().u8()).toThrow(WireError);
    expect(() => reader(1).u16()).toThrow(WireError);
    expect(() => reader(1, 2, 3).u32()).toThrow(WireError);
    expect(() => reader(1, 2, 3, 4, 5, 6, 7).f64()).toThrow(WireError);
    expect(() => reader(1).id()).toThrow(WireError);
  });

  test("WI04: a count of records is refused when the bytes cannot hold them", () => {
    expect(reader(2, 0, 0, 0, 0).count(2, 10)).toBe(2);
    expect(() => reader(3, 0, 0, 0, 0).count(2, 10)).toThrow(WireError);
    expect(() => reader(3, 0, 0, 0, 0).count(1, 2)).toThrow(WireError);
  });

  test("WI08: short bytes are copied, long ones seen in place; both are what was written", () => {
    for (const size of [0, 1, 32, 33, 64, 65, 300]) {
      const source = Uint8Array.from({ length: size }, (_, i) => i);
      const r = new Reader(written((w) => w.bytes(source)));
      expect(r.bytes(1000)).toEqual(source);
      expect(r.remaining).toBe(0);
    }
  });
});

describe("ids", () => {
  test("WI08: ids come back whatever was read and written before them", () => {
    // More ids than the memo has slots, and twice over, so that slots are shared and reused.
    const ids = Array.from({ length: 20_000 }, (_, i) =>
      Buffer.from(Uint32Array.of(i, i * 7, 0, i % 3).buffer).toString("hex"),
    );
    for (let round = 0; round < 2; round++) {
      for (const id of ids) {
        const bytes = written((w) => w.id(id));
        expect(Buffer.from(bytes).toString("hex")).toBe(id);
        expect(new Reader(bytes).id()).toBe(id);
      }
    }
  });

  test("WI08: what is not 32 lower-case hex digits is no id", () => {
    for (const bad of ["", "00", "g".repeat(32), "A".repeat(32), "0".repeat(33), "é".repeat(32)]) {
      expect(() => new Writer().id(bad)).toThrow(InvariantError);
    }
    const zero = "0".repeat(32);
    expect(new Reader(written((w) => w.id(zero))).id()).toBe(zero);
  });
});

describe("records", () => {
  test("WI07: a record that grew is read as far as it is known, and counted", () => {
    const bytes = written((w) => {
      const start = w.beginRecord();
      w.varint(7);
      w.string("a field of a newer program");
      w.endRecord(start);
      w.varint(8);
    });
    const r = new Reader(bytes);
    const outer = r.enter(100);
    expect(r.varint()).toBe(7);
    r.leave(outer);
    expect(r.skipped).toBe(1);
    expect(r.varint()).toBe(8);
    expect(r.remaining).toBe(0);
  });

  test("WI07: nothing is read past the end of a record", () => {
    const r = reader(1, 9, 42);
    const outer = r.enter(10);
    expect(r.u8()).toBe(9);
    expect(() => r.u8()).toThrow(WireError);
    r.leave(outer);
    expect(r.skipped).toBe(0);
    expect(r.u8()).toBe(42);
    expect(() => reader(3, 1, 2).enter(10)).toThrow(WireError);
    expect(() => reader(3, 1, 2, 3).enter(2)).toThrow(WireError);
  });

  test("WI08: records of any length nest", () => {
    for (const size of [0, 1, 125, 126, 127, 128, 20_000]) {
      const body = Uint8Array.from({ length: size }, (_, i) => i % 256);
      const bytes = written((w) => {
        const outer = w.beginRecord();
        const inner = w.beginRecord();
        w.raw(body);
        w.endRecord(inner);
        w.u8(5);
        w.endRecord(outer);
        w.u8(6);
      });
      const r = new Reader(bytes);
      const end = r.enter(30_000);
      const outer = r.enter(30_000);
      expect(r.raw(r.remaining)).toEqual(body);
      r.leave(outer);
      expect(r.u8()).toBe(5);
      r.leave(end);
      expect(r.u8()).toBe(6);
      expect([r.remaining, r.skipped]).toEqual([0, 0]);
    }
  });
});

describe("the writer's buffer", () => {
  test("WI08: what is finished stays as it is when the writer goes on", () => {
    const w = new Writer();
    for (const size of [10, 100, 1000, 100_000]) {
      w.reset();
      w.raw(new Uint8Array(size).fill(1));
      const first = w.finish();
      w.reset();
      w.raw(new Uint8Array(size).fill(2));
      const second = w.finish();
      expect(first.every((byte) => byte === 1)).toBe(true);
      expect(second.every((byte) => byte === 2)).toBe(true);
      expect([first.length, second.length]).toEqual([size, size]);
    }
  });

  test("WI08: a record that does not fit is taken back", () => {
    const w = new Writer();
    w.u8(1);
    const mark = w.length;
    w.string("too much");
    w.rewind(mark);
    w.u8(2);
    expect([...w.finish()]).toEqual([1, 2]);
    expect(() => w.rewind(3)).toThrow(InvariantError);
  });

  test("WI08: a writer works on after a message of megabytes", () => {
    const w = new Writer();
    w.raw(new Uint8Array(3_000_000));
    expect(w.finish().length).toBe(3_000_000);
    w.reset();
    w.f64(0.5);
    w.raw(new Uint8Array(2_000_000).fill(3));
    const again = new Reader(w.finish());
    expect(again.f64()).toBe(0.5);
    expect(again.raw(2_000_000).every((byte) => byte === 3)).toBe(true);
  });
});
