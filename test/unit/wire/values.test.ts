import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import type { Value } from "../../../core/crdt/value.ts";
import { Reader } from "../../../core/wire/reader.ts";
import { readValue, valueTags, writeValue } from "../../../core/wire/values.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { Writer } from "../../../core/wire/writer.ts";

function bytesOf(value: Value): Uint8Array {
  const w = new Writer();
  writeValue(w, value);
  return w.finish();
}

const examples: readonly (readonly [name: string, value: Value, hex: string])[] = [
  ["NULL", null, "00"],
  ["0", 0, "0100"],
  ["-1", -1, "0200"],
  ["300", 300, "01ac02"],
  ["the largest safe integer", 2 ** 53 - 1, "01ffffffffffffff0f"],
  ["the smallest safe integer", -(2 ** 53 - 1), "02feffffffffffff0f"],
  ["2^53", 2n ** 53n, "030020000000000000"],
  ["-2^53", -(2n ** 53n), "03ffe0000000000000"],
  ["the largest integer", 2n ** 63n - 1n, "037fffffffffffffff"],
  ["the smallest integer", -(2n ** 63n), "038000000000000000"],
  ["0.5", 0.5, "043fe0000000000000"],
  ["1.0, which is not 1", { real: 1 }, "043ff0000000000000"],
  ["0.0", { real: 0 }, "040000000000000000"],
  ["infinity", { real: Infinity }, "047ff0000000000000"],
  ["minus infinity", { real: -Infinity }, "04fff0000000000000"],
  ["the least real above zero", 5e-324, "040000000000000001"],
  ["text", "né", "05036ec3a9"],
  ["empty text", "", "0500"],
  ["a blob", Uint8Array.of(0, 255), "060200ff"],
  ["an empty blob", new Uint8Array(0), "0600"],
];

describe("values", () => {
  test.each(examples)("WI09: %s keeps its class and every bit", (_, value, hex) => {
    const bytes = bytesOf(value);
    expect(Buffer.from(bytes).toString("hex")).toBe(hex);
    expect(readValue(new Reader(bytes))).toEqual(value);
  });

  test.each([
    ["an integer below 2^53 in eight bytes", "030000000000000001"],
    ["2^53 - 1 in eight bytes", "03001fffffffffffff"],
    ["-(2^53 - 1) in eight bytes", "03ffe0000000000001"],
    ["-2^53 as a varint", "02ffffffffffffff0f"],
    ["NaN", "047ff8000000000000"],
    ["a NaN with a payload", "047ff0000000000001"],
    ["minus zero", "048000000000000000"],
    ["an unknown tag", "08"],
    ["a tag for additions where a value must stand", "07"],
    ["text that is not UTF-8", "0501ff"],
    ["nothing", ""],
  ])("WI10: %s is refused", (_, hex) => {
    expect(() => readValue(new Reader(Uint8Array.from(Buffer.from(hex, "hex"))))).toThrow(
      WireError,
    );
  });

  test.each([
    ["NaN", Number.NaN],
    ["minus zero", -0],
    ["an unboxed infinity", Infinity],
    ["an unboxed 2^60", 2 ** 60],
    ["a boxed fraction", { real: 0.5 }],
    ["a boxed NaN", { real: Number.NaN }],
    ["a boxed minus zero", { real: -0 }],
    ["a small bigint", 5n],
    ["a bigint past 64 bits", 2n ** 64n],
  ])("WI10: %s is no value and never written", (_, value) => {
    expect(() => bytesOf(value)).toThrow(InvariantError);
  });

  test("WI10: the tags are what they always were", () => {
    expect(valueTags).toEqual({
      null: 0,
      integer: 1,
      negative: 2,
      long: 3,
      real: 4,
      text: 5,
      blob: 6,
    });
  });
});
