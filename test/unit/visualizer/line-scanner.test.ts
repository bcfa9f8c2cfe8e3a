/** The byte scanner against `JSON.parse`: what it takes, it takes the same way. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteDictionary } from "../../../visualizer/model/byte-dictionary.ts";
import { Field, type FieldName, LineScanner } from "../../../visualizer/model/line-scanner.ts";

const encoder = new TextEncoder();
const names = Object.keys(Field) as FieldName[];

function fieldsOf(scanner: LineScanner, dictionary: ByteDictionary): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of names) {
    const field = Field[name];
    if (scanner.isNumber(field)) fields[name] = scanner.numbers[field];
    else if (scanner.isText(field)) fields[name] = dictionary.text(scanner.texts[field] as number);
  }
  if (scanner.hasHeads()) {
    const heads: [string, number][] = [];
    for (let i = 0; i < scanner.headCount; i++)
      heads.push([dictionary.text(scanner.headActors.at(i)), scanner.headVersions.at(i)]);
    fields["heads"] = heads.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  return fields;
}

function scan(line: string): { taken: boolean; fields: Record<string, unknown> } {
  const dictionary = new ByteDictionary();
  const scanner = new LineScanner(dictionary);
  const bytes = encoder.encode(`noise\n${line}\n{"t":1}`);
  const start = 6;
  const taken = scanner.scan(bytes, start, start + encoder.encode(line).length);
  return { taken, fields: fieldsOf(scanner, dictionary) };
}

function filled(object: Record<string, unknown>): Record<string, unknown> {
  const dictionary = new ByteDictionary();
  const scanner = new LineScanner(dictionary);
  scanner.fill(object);
  return fieldsOf(scanner, dictionary);
}

const key = fc.oneof(fc.constantFrom(...names.filter((name) => name !== "heads")), fc.string());
const value = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
);
const object = fc.dictionary(key, value, { maxKeys: 8 });

describe("line scanner", () => {
  test("reads a plain line as JSON does, and leaves the rest to JSON", () => {
    fc.assert(
      fc.property(object, (one) => {
        const { taken, fields } = scan(JSON.stringify(one));
        if (taken) expect(fields).toEqual(filled(one));
      }),
      { numRuns: 500 },
    );
  });

  test("takes what nearly every line of a trace is", () => {
    const plain = fc.record({
      t: fc.nat(),
      k: fc.constantFrom("send", "recv", "apply"),
      n: fc.nat(9999),
      m: fc.maxSafeNat().map((m) => m % 1e15),
      msg: fc.stringMatching(/^[a-zA-Z]{1,12}$/),
    });
    fc.assert(
      fc.property(plain, (one) => {
        const { taken, fields } = scan(JSON.stringify(one));
        expect(taken).toBe(true);
        expect(fields).toEqual({ ...one });
      }),
    );
  });

  test("reads heads, empty and long", () => {
    const heads = fc.dictionary(fc.stringMatching(/^[0-9a-f]{32}$/), fc.nat(), { maxKeys: 30 });
    fc.assert(
      fc.property(heads, (one) => {
        const { taken, fields } = scan(JSON.stringify({ k: "state", heads: one, gaps: 0 }));
        expect(taken).toBe(true);
        expect(fields["heads"]).toEqual(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
        expect(fields["gaps"]).toBe(0);
      }),
    );
  });

  test.each([
    "",
    "{",
    "{}",
    '{"t":1',
    '{"t":1,}',
    '{"t":01}',
    '{"t":1 }',
    '{"t":-}',
    '{"t":1}x',
    '{"t":1e3}',
    '{"t":1.5}',
    '{"t":1234567890123456}',
    '{"t" :1}',
    '{"k":"a\\"b"}',
    '{"k":"a\tb"}',
    '{"k":[1]}',
    '{"k":{"a":1}}',
    '{"k":true}',
    '{"heads":{"a":"b"}}',
    '{"heads":{"a":1}',
    '["t",1]',
  ])("leaves %s to JSON", (line) => {
    expect(scan(line).taken).toBe(false);
  });
});
