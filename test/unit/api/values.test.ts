/** Values through the API's JSON: exact in both directions, and every byte held against the grammar. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { integerValue, realValue, type Value } from "../../../core/crdt/value.ts";
import { JsonShapeError, JsonSyntaxError, JsonText } from "../../../runtime/api/json-text.ts";
import { parseStatement, parseStatements } from "../../../runtime/api/statement-text.ts";
import { rowLine, valueText } from "../../../runtime/api/value-text.ts";
import { readLine } from "../../../runtime/client/answer-lines.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map(realValue);
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integerValue),
  fc.integer().map((n) => (n === 0 ? 0 : n)),
  finite,
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
  fc.uint8Array(),
);

describe("values", () => {
  test("a parameter is read as what was written", () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const text = `["SQL",[${values.map(valueText).join(", ")}]]`;
        expect(parseStatement(text)).toEqual({ sql: "SQL", parameters: values });
      }),
    );
  });

  test("a row is read as what was written, and is JSON for everybody else", () => {
    fc.assert(
      fc.property(fc.array(value), fc.nat(), (row, id) => {
        const line = rowLine(id, row);
        expect(readLine(line.trimEnd())).toEqual({ type: "row", row });
        expect(JSON.parse(line)).toMatchObject({ row: [id, expect.any(Array)] });
        expect(line.indexOf("\n")).toBe(line.length - 1);
      }),
    );
  });

  test("an infinite REAL is null, since JSON has no infinity", () => {
    expect([valueText({ real: Infinity }), valueText({ real: -Infinity })]).toEqual([
      "null",
      "null",
    ]);
  });

  test("what is not of a shape that SQLite has is its own text, however it was spaced and escaped", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { parameters } = parseStatement(`["SQL",[ ${text} ]]`);
        const [given] = parameters as readonly Value[];
        const parsed: unknown = JSON.parse(text);
        if (typeof parsed !== "object" || parsed === null) return;
        if (given instanceof Uint8Array) expect([...given]).toEqual(parsed);
        else expect(JSON.parse(given as string)).toEqual(parsed);
      }),
    );
    const spaced = String.raw`["SQL", [ { "a" : [ 1.0, 9223372036854775807 ], "\u00e9 \" b" : " c " } ]]`;
    expect(parseStatement(spaced).parameters).toEqual([
      '{"a":[1.0,9223372036854775807],"é \\" b":" c "}',
    ]);
  });
});

describe("the reader of JSON", () => {
  /** JSON of any shape with any spaces, and texts that are nearly JSON. */
  const nearly = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom("", ",", "]", "}", '"', "\\", "0", "-", "\u0001", "nul", " "),
    )
    .map(([text, at, extra]) => {
      const cut = at % (text.length + 1);
      return extra === "" ? text : text.slice(0, cut) + extra + text.slice(cut + (at % 2));
    });

  test("takes and refuses what JSON.parse takes and refuses", () => {
    fc.assert(
      fc.property(nearly, (text) => {
        let ours = true;
        const json = new JsonText(text);
        try {
          json.skip();
          json.end();
        } catch (error) {
          expect(error).toBeInstanceOf(JsonSyntaxError);
          ours = false;
        }
        let theirs = true;
        try {
          JSON.parse(text);
        } catch {
          theirs = false;
        }
        // Half of a surrogate pair is refused here alone.
        if (ours !== theirs) expect(JSON.stringify(text)).toMatch(/\\\\ud[89a-f]/i);
      }),
      { numRuns: 2000 },
    );
  });

  test("answers any body with statements or one of its two errors", () => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: "binary" })), (text) => {
        for (const parse of [parseStatement, parseStatements]) {
          try {
            parse(text);
          } catch (error) {
            expect(error instanceof JsonSyntaxError || error instanceof JsonShapeError).toBe(true);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("refuses brackets without end before they fill the stack", () => {
    for (const open of ["[", '{"a":']) {
      expect(() => parseStatement(`["SQL",[${open.repeat(100_000)}`)).toThrow(JsonSyntaxError);
    }
  });
});
