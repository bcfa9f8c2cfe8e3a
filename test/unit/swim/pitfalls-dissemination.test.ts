/** Pitfalls of other systems in which news did not reach everybody, or not in time. */
import { describe, expect, test } from "vitest";
import { lanProfile } from "../../../core/swim/config.ts";
import { crash, joinStorm } from "../../../sim/swim-lab/figures.ts";
import { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { calmWithin, countNotices, expectCalm, isDown, range } from "./lab-checks.ts";

describe("pitfall 6: members that news missed learn it much later", () => {
  test("SW14, SW17: over 30 crashes in a hundred, from the first that knows to the last it takes under 0.6 s", () => {
    const spreads = range(0, 30).map((seed) => crash({ nodes: 100, seed: `pitfall-6-${seed}` }, 0));
    for (const { lastSec } of spreads) expect(lastSec).toBeGreaterThan(0);
    expect(Math.max(...spreads.map(({ spreadSec }) => spreadSec))).toBeLessThan(0.6);
  });

  test("SW07, SW11: a tenth of a hundred crashes; all know of all within 16 s", () => {
    const runs = range(0, 15).map((seed) => crash({ nodes: 100, seed: `pitfall-6b-${seed}` }, 0.1));
    for (const { lastSec, falseDowns } of runs) {
      expect(lastSec).toBeGreaterThan(8);
      expect(lastSec).toBeLessThan(16);
      expect(falseDowns).toBe(0);
    }
  });

  test("SW17: one that all news missed is put right by its next pings", () => {
    const lab = new SwimLab({ seed: "pitfall-6c", nodes: 100 });
    lab.start();
    lab.runUntil(5000);
    // Cut off from all while the others learn of ten that leave; too short to be suspected for long.
    const cut = lab.partition([[0], range(1, 100)]);
    for (const node of range(90, 100)) lab.leave(node);
    lab.runUntil(8000);
    expect(lab.node(0).membership?.stats().left).toBe(0);
    expect(lab.node(1).membership?.stats().left).toBe(10);
    lab.heal(cut);
    expect(calmWithin(lab, 5)).toBeLessThan(3);
    expect(lab.node(0).membership?.stats().left).toBe(10);
  });

  test("SW17: without gossip at all, lists still become equal by their digests", () => {
    const config = { ...lanProfile, gossipIntervalMs: 1e9, gossipBurst: 0 };
    const lab = new SwimLab({ seed: "pitfall-6d", nodes: 60, config });
    lab.start();
    lab.runUntil(3000);
    for (const node of range(50, 60)) lab.leave(node);
    lab.runUntil(4100);
    calmWithin(lab, 20);
  });
});

describe("pitfall 7: a join storm leaves members incomplete", () => {
  test("SW20: a hundred join through one seed within a second; all know all 1.5 s later", () => {
    const times = range(0, 10).map((seed) => joinStorm({ nodes: 100, seed: `pitfall-7-${seed}` }));
    times.sort((a, b) => a - b);
    expect(times[0]).toBeGreaterThan(1);
    expect(times[5]).toBeLessThanOrEqual(2.5);
    expect(times[9]).toBeLessThan(4);
  });

  test("SW20, SW17: also when the seed can tell most of them but a sample", () => {
    const config = { ...lanProfile, joinReplyBytesPerSec: 20_000 };
    const lab = new SwimLab({ seed: "pitfall-7b", nodes: 100, warm: false, config });
    lab.boot(0, [], null);
    for (const node of range(1, 100)) lab.at(node * 10, () => lab.boot(node, [0], null));
    lab.runUntil(1000);
    expect(calmWithin(lab, 10)).toBeLessThan(6);
  });

  test("SW20: and at 10 % loss with every seed's answer late", () => {
    const lab = new SwimLab({ seed: "pitfall-7c", nodes: 100, warm: false, loss: 0.1 });
    const deaths = countNotices(lab, isDown);
    lab.boot(0, [], null);
    for (const node of range(1, 100)) lab.at(node * 10, () => lab.boot(node, [0], null));
    lab.pause(0);
    lab.at(1500, () => lab.resume(0));
    lab.runUntil(1500);
    calmWithin(lab, 15);
    expect(deaths.count).toBe(0);
  });

  test("SW21: two clusters that began apart become one by a seed that neither met", () => {
    const lab = new SwimLab({ seed: "pitfall-7d", nodes: 20, warm: false });
    const cut = lab.partition([range(0, 10), range(10, 20)]);
    for (const node of range(0, 10)) lab.boot(node, [0, 10], null);
    for (const node of range(10, 20)) lab.boot(node, [0, 10], null);
    lab.runUntil(30_000);
    expect(lab.node(5).membership?.size).toBe(10);
    expect(lab.node(15).membership?.size).toBe(10);
    lab.heal(cut);
    calmWithin(lab, 10);
    expectCalm(lab);
  });
});
