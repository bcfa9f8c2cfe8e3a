import { expect, test } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import { Unreached } from "../../../runtime/agent/unreached.ts";

const [a, b] = ["10.0.0.1:1" as Address, "10.0.0.2:1" as Address];
const turnedAway = 'it turned this node away, saying "no"';

function told(...notes: readonly Parameters<Unreached["note"]>[]): string[] {
  const lines: string[] = [];
  const unreached = new Unreached((message, fields) =>
    lines.push(`${message} ${JSON.stringify(fields)}`),
  );
  for (const note of notes) unreached.note(...note);
  return lines;
}

test("a node that is alone says whom it does not reach and why: once, and again after minutes", () => {
  const lines = told(
    [0, a, "nobody listens there", true],
    [1000, a, "nobody listens there", true],
    [2000, b, "nobody listens there", true],
    [3000, a, turnedAway, true],
    [304_000, a, turnedAway, true],
  );
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain('not reached {"to":"10.0.0.1:1","why":"nobody listens there"}');
  expect(lines[2]).toContain("saying");
});

test("in company only those are told that do not let it in", () => {
  const lines = told([0, a, "the connection broke", false], [0, b, turnedAway, false]);
  expect(lines).toEqual([expect.stringContaining("a peer does not let this node in")]);
});
