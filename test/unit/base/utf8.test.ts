import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeUtf8, encodeUtf8, utf8Length, writeUtf8 } from "../../../core/base/utf8.ts";

const encoder = new TextEncoder();

function hostDecode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

describe("UTF-8", () => {
  test("any text, lone surrogates too, is encoded as the host's encoder does", () => {
    const anyUnits = fc
      .array(
        fc.oneof(
          fc.integer({ min: 0, max: 0xffff }),
          fc.integer({ min: 0xd700, max: 0xe100 }),
          fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xfffd),
        ),
        { maxLength: 60 },
      )
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(anyUnits, (text) => {
        const expected = encoder.encode(text);
        expect(encodeUtf8(text)).toEqual(expected);
        expect(utf8Length(text)).toBe(expected.length);
        expect(decodeUtf8(expected)).toBe(text.toWellFormed());
      }),
      { numRuns: 2000 },
    );
  });

  test("any bytes are decoded, or refused, as the host's fatal decoder does", () => {
    const mostlyText = fc.array(
      fc.oneof(
        fc.constantFrom(0x41, 0xc2, 0xc3, 0xdf, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf3, 0xf4, 0xf5),
        fc.integer({ min: 0x80, max: 0xbf }),
        fc.integer({ min: 0, max: 255 }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(mostlyText, (list) => {
        const bytes = Uint8Array.from(list);
        expect(decodeUtf8(bytes)).toBe(hostDecode(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong zero in three bytes", [0xe0, 0x80, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a code point past U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["a lone continuation", [0x80]],
    ["a sequence cut short", [0x41, 0xe2, 0x82]],
  ])("%s is refused", (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeNull();
  });

  test("long text keeps its pairs whole where the decoder works in pieces", () => {
    for (const pad of [4094, 4095, 4096, 4097, 8191]) {
      const ascii = "x".repeat(pad);
      expect(decodeUtf8(encoder.encode(ascii))).toBe(ascii);
      const mixed = `é${ascii}😀${ascii}€`;
      expect(decodeUtf8(encoder.encode(mixed))).toBe(mixed);
    }
  });

  test("part of an array is decoded alone, and text is written where it is told to", () => {
    const target = new Uint8Array(8).fill(0x2e);
    expect(writeUtf8("né", target, 2)).toBe(5);
    expect(decodeUtf8(target)).toBe("..né...");
    expect(decodeUtf8(target, 2, 5)).toBe("né");
    expect(decodeUtf8(target, 2, 4)).toBeNull();
  });
});
