import { describe, expect, test } from "vitest";
import type { MemberState } from "../../../core/node/event.ts";
import { beats } from "../../../core/swim/precedence.ts";

/** Claim, what is held, and which incarnations of the claim beat incarnation 5 of it: older, same, newer. */
type Cell = readonly [
  claim: MemberState,
  held: MemberState,
  older: boolean,
  same: boolean,
  newer: boolean,
  why: string,
];

const cells: readonly Cell[] = [
  ["alive", "alive", false, false, true, "only a newer life is news"],
  ["alive", "suspect", false, false, true, "only a refutation clears a suspicion"],
  ["alive", "down", false, false, true, "only a refutation undoes a death"],
  ["alive", "left", false, false, true, "who left comes back only by its own newer word"],
  ["suspect", "alive", false, true, true, "doubt beats the assurance that it doubts"],
  ["suspect", "suspect", false, false, true, "the same suspicion is no news"],
  ["suspect", "down", false, false, true, "a suspicion does not raise the dead of the same life"],
  ["suspect", "left", false, false, true, "who left is not suspected for being silent"],
  ["down", "alive", false, true, true, "a death ends the life it tells of"],
  ["down", "suspect", false, true, true, "a suspicion that ran out is a death"],
  ["down", "down", false, false, true, "nobody dies twice of one life"],
  ["down", "left", false, false, true, "its own word that it left says more than a finding"],
  ["left", "alive", false, true, true, "who says that it leaves is gone"],
  ["left", "suspect", false, true, true, "who says that it leaves need not be suspected"],
  ["left", "down", false, true, true, "its own word says more than a finding"],
  ["left", "left", false, false, true, "nobody leaves twice"],
];

describe("precedence of claims about one identity", () => {
  test.each(cells)("SW02: %s against %s: %s, %s, %s: %s", (claim, held, older, same, newer) => {
    expect(beats(claim, 4, held, 5)).toBe(older);
    expect(beats(claim, 5, held, 5)).toBe(same);
    expect(beats(claim, 6, held, 5)).toBe(newer);
  });

  test("SW02: of two different claims exactly one beats the other, and there are no rings", () => {
    const states: MemberState[] = ["alive", "suspect", "down", "left"];
    const claims = states.flatMap((state) =>
      [0, 1, 2].map((incarnation) => ({ state, incarnation })),
    );
    for (const a of claims) {
      for (const b of claims) {
        const ab = beats(a.state, a.incarnation, b.state, b.incarnation);
        const ba = beats(b.state, b.incarnation, a.state, a.incarnation);
        expect(ab !== ba).toBe(a !== b);
        for (const c of claims) {
          const bc = beats(b.state, b.incarnation, c.state, c.incarnation);
          if (ab && bc) expect(beats(a.state, a.incarnation, c.state, c.incarnation)).toBe(true);
        }
      }
    }
  });
});
