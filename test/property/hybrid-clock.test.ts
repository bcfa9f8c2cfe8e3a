/** Whatever wall clocks, peers and restarts do, stamps are unique and later than what they must beat. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareHlc, formatHlc, type Hlc } from "../../core/clock/hlc.ts";
import { farCounter, HybridClock } from "../../core/clock/hybrid-clock.ts";

const noon = 1_700_000_000_000;
const driftMs = 10_000;

/** Wall clocks and remote stamps crowd around a few moments, so that they meet. */
const moment = fc
  .tuple(
    fc.constantFrom(0, 1, 2, driftMs, driftMs + 1, 3 * driftMs, 365 * 86_400_000),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([ahead, nudge]) => noon + ahead + nudge);
/** A wall clock is seldom a year off, or the clock would spend its life there. */
const wall = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -2, max: 2 }).map((nudge) => noon + nudge) },
  { weight: 1, arbitrary: moment },
);
const stamp: fc.Arbitrary<Hlc> = fc.record({
  ms: moment,
  counter: fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom(0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff),
  ),
});

type Step =
  | { do: "tick"; wallMs: number; over: Hlc | null; overSeen: number | null }
  | { do: "observe"; wallMs: number; stamp: Hlc }
  | { do: "restart" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("tick" as const),
      wallMs: wall,
      over: fc.option(stamp),
      /** Overwrite one of the actor's own stamps instead: its latest but so many. */
      overSeen: fc.option(fc.integer({ min: 0, max: 3 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("observe" as const), wallMs: wall, stamp }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
);

test("HL06: no stamp is made twice, and each is later than all that it must beat, over any history", () => {
  let farOnes = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "large" }), (steps) => {
      let clock = new HybridClock(undefined, driftMs);
      const made: Hlc[] = [];
      const texts = new Set<string>();
      let nearMax: Hlc = { ms: 0, counter: 0 };
      for (const s of steps) {
        if (s.do === "restart") {
          clock = new HybridClock(JSON.parse(JSON.stringify(clock.save())), driftMs);
          continue;
        }
        const before = clock.last;
        if (s.do === "observe") {
          const far = s.stamp.ms > s.wallMs + driftMs;
          expect(clock.observe(s.wallMs, s.stamp)).toBe(far ? "far" : "near");
          if (far) expect(clock.last).toEqual(before);
          else if (compareHlc(s.stamp, nearMax) > 0) nearMax = s.stamp;
          continue;
        }
        const over = s.overSeen === null ? s.over : (made.at(-1 - s.overSeen) ?? null);
        const mine = clock.tick(s.wallMs, over) as Hlc;
        expect(texts.has(formatHlc(mine))).toBe(false);
        texts.add(formatHlc(mine));
        made.push(mine);
        if (over !== null) expect(compareHlc(mine, over)).toBeGreaterThan(0);
        expect(compareHlc(mine, nearMax)).toBeGreaterThan(0);
        if (mine.counter >= farCounter) {
          farOnes++;
          expect(over !== null && over.ms > s.wallMs + driftMs).toBe(true);
          expect(clock.last).toEqual(before);
        } else {
          nearMax = mine;
        }
      }
    }),
    { numRuns: 3000 },
  );
  // The histories do reach the far future.
  expect(farOnes).toBeGreaterThan(1000);
});

test("HL05: a clock is never further ahead of the furthest wall clock than drift and overflow allow", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "large" }), (steps) => {
      const clock = new HybridClock(undefined, driftMs);
      let wallMax = 0;
      for (const s of steps) {
        if (s.do === "restart") continue;
        wallMax = Math.max(wallMax, s.wallMs);
        if (s.do === "tick") clock.tick(s.wallMs, s.over);
        else clock.observe(s.wallMs, s.stamp);
        expect(clock.last.ms).toBeLessThanOrEqual(wallMax + driftMs + steps.length);
      }
    }),
    { numRuns: 500 },
  );
});

test("HL07: a restart at any point changes no stamp", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, at) => {
      const steady = new HybridClock(undefined, driftMs);
      let restarted = new HybridClock(undefined, driftMs);
      steps.forEach((s, i) => {
        if (i === at) restarted = new HybridClock(restarted.save(), driftMs);
        if (s.do === "tick") {
          expect(restarted.tick(s.wallMs, s.over)).toEqual(steady.tick(s.wallMs, s.over));
        } else if (s.do === "observe") {
          expect(restarted.observe(s.wallMs, s.stamp)).toBe(steady.observe(s.wallMs, s.stamp));
        }
      });
    }),
  );
});
