/** Membership under random trouble: crashes, restarts, lost disks, standstills, blocked I/O, leaves and cuts both ways and one way. */
import { describe, expect, test } from "vitest";
import { fastProfile, wanProfile } from "../../core/swim/config.ts";
import { type NemesisOptions, runNemesis } from "../../sim/swim-lab/nemesis.ts";

function expectPeace(options: NemesisOptions): void {
  const { violations, disagreements, faults } = runNemesis(options);
  const story = `seed ${options.seed}:\n${faults.join("\n")}`;
  expect(violations, story).toEqual([]);
  expect(disagreements, story).toEqual([]);
}

const seeds = Array.from({ length: 12 }, (_, i) => i);

describe("random trouble", () => {
  test.each(seeds)(
    "SW01, SW02, SW03, SW27: seed %i: nothing that must not be, and all agree",
    (seed) => {
      expectPeace({ seed: `lan-${seed}`, nodes: 3 + (seed % 7), troubleSec: 60, calmSec: 30 });
    },
  );

  test.each(seeds.slice(0, 4))("SW02, SW17: seed %i, a fifth of the datagrams lost", (seed) => {
    expectPeace({ seed: `loss-${seed}`, nodes: 5 + seed, troubleSec: 60, calmSec: 30, loss: 0.2 });
  });

  test.each(seeds.slice(0, 4))("SW02, SW17: seed %i, the fast profile", (seed) => {
    const config = fastProfile;
    expectPeace({ seed: `fast-${seed}`, nodes: 5 + seed, troubleSec: 60, calmSec: 20, config });
  });

  test.each(seeds.slice(0, 2))("SW02, SW17: seed %i, the WAN profile", (seed) => {
    const config = wanProfile;
    expectPeace({ seed: `wan-${seed}`, nodes: 5 + seed, troubleSec: 200, calmSec: 120, config });
  });

  test("SW02, SW17: forty nodes", () => {
    expectPeace({ seed: "forty", nodes: 40, troubleSec: 60, calmSec: 30 });
  });
});

test("SW04: the same seed is the same run, to the last byte", () => {
  const once = runNemesis({ seed: "again", nodes: 7, troubleSec: 40, calmSec: 30 });
  const again = runNemesis({ seed: "again", nodes: 7, troubleSec: 40, calmSec: 30 });
  expect(again).toEqual(once);
  expect(again.messages).toBeGreaterThan(100);
});
