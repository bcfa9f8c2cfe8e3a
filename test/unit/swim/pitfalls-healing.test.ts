/** Pitfalls of other systems around partitions and those that were gone for long. */
import { describe, expect, test } from "vitest";
import { lanProfile } from "../../../core/swim/config.ts";
import { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { calmWithin, countNotices, expectSafe, isDown, range } from "./lab-checks.ts";

describe("pitfall 2: a partition that was long enough stays for ever", () => {
  test("SW21: halves that held each other dead for ten minutes become one in seconds", () => {
    const lab = new SwimLab({ seed: "pitfall-2", nodes: 40 });
    lab.start();
    lab.runUntil(5000);
    const cut = lab.partition([range(0, 20), range(20, 40)]);
    lab.runUntil(600_000);
    for (const { membership } of lab.running()) expect(membership.stats().down).toBe(20);
    lab.heal(cut);
    expect(calmWithin(lab, 10)).toBeLessThan(10);
  });

  test("SW18: no member is taken for dead when the sides meet", () => {
    for (const seed of ["a", "b", "c"]) {
      const lab = new SwimLab({ seed: `pitfall-2-${seed}`, nodes: 60, loss: 0.05 });
      lab.start();
      lab.runUntil(5000);
      const cut = lab.partition([range(0, 30), range(30, 60)]);
      lab.runUntil(60_000);
      const deaths = countNotices(lab, isDown);
      lab.heal(cut);
      calmWithin(lab, 20);
      expect(deaths.count).toBe(0);
    }
  });

  test("SW18: nor after a short cut, when the deaths are still fresh news", () => {
    // The sides have told one another dead only just now, so that the news itself crosses over.
    for (const cutSec of [8, 9, 10, 11, 12, 13]) {
      const lab = new SwimLab({ seed: `pitfall-2-short-${cutSec}`, nodes: 60 });
      lab.start();
      lab.runUntil(5000);
      const cut = lab.partition([range(0, 30), range(30, 60)]);
      lab.runUntil(5000 + cutSec * 1000);
      lab.heal(cut);
      const within = countNotices(lab, (notice, node) => {
        if (!isDown(notice) || !("about" in notice)) return false;
        return node < 30 === lab.indexOf(notice.about) < 30;
      });
      calmWithin(lab, 30);
      expect(within.count).toBe(0);
    }
  });

  test("SW21: five nodes find each other well within a second, whatever the cut", () => {
    const contacts: number[] = [];
    for (let seed = 0; seed < 20; seed++) {
      const latencyMs = { min: 1, max: 20 };
      const lab = new SwimLab({ seed: `pitfall-2-five-${seed}`, nodes: 5, latencyMs });
      lab.start();
      lab.runUntil(5000);
      const cut = lab.partition([
        [0, 1],
        [2, 3, 4],
      ]);
      lab.runUntil(35_000);
      lab.heal(cut);
      contacts.push(calmWithin(lab, 3));
    }
    contacts.sort((a, b) => a - b);
    expect(contacts[10]).toBeLessThan(0.7);
    expect(contacts[19]).toBeLessThan(1.5);
  });

  test("SW21: a node that was alone finds the others again", () => {
    const lab = new SwimLab({ seed: "pitfall-2-alone", nodes: 20 });
    lab.start();
    const cut = lab.partition([[0], range(1, 20)]);
    lab.runUntil(300_000);
    expect(lab.node(0).membership?.size).toBe(1);
    lab.heal(cut);
    calmWithin(lab, 5);
  });
});

describe("pitfall 3: two sides that hold each other down flood each other", () => {
  test("SW19, SW21: during and after the cut a node sends a few hundred bytes a second", () => {
    const lab = new SwimLab({ seed: "pitfall-3", nodes: 60 });
    lab.start();
    lab.runUntil(5000);
    // One way only: what the others send is lost, so nobody there ever hears a refutation.
    const cut = lab.partition([range(0, 30), range(30, 60)], true);
    lab.runUntil(60_000);
    lab.traffic.reset();
    lab.runUntil(120_000);
    expect(lab.traffic.bytes / 60 / 60).toBeLessThan(400);
    lab.heal(cut);
    const healedMs = lab.nowMs;
    calmWithin(lab, 20);
    lab.runUntil(healedMs + 30_000);
    lab.traffic.reset();
    lab.runUntil(healedMs + 40_000);
    expect(lab.traffic.bytes / 60 / 10).toBeLessThan(40);
  });

  test("SW10, SW19: one that all hold dead and that cannot be reached is answered, not flooded", () => {
    const lab = new SwimLab({ seed: "pitfall-3b", nodes: 30 });
    lab.start();
    lab.runUntil(5000);
    lab.partition([range(1, 30), [0]], true);
    lab.runUntil(60_000);
    let toTheDead = 0;
    lab.onSend = (packet) => {
      if (packet.to === 0) toTheDead++;
    };
    lab.runUntil(120_000);
    // The cluster knocks 8 times a second, and answers what the dead one sends.
    expect(toTheDead / 60).toBeGreaterThan(4);
    expect(toTheDead / 60).toBeLessThan(30);
    expectSafe(lab);
  });
});

describe("pitfall 10: down members are forgotten too early", () => {
  test("SW22: after hours of darkness a member is still known, knocked at, and taken back", () => {
    // A cluster of slow clocks, so that hours are cheap to play.
    const config = {
      ...lanProfile,
      periodMs: 60_000,
      probeTimeoutMs: 1000,
      reconnectsPerSec: 0.05,
    };
    const lab = new SwimLab({ seed: "pitfall-10", nodes: 10, config });
    lab.start();
    lab.runUntil(10_000);
    const cut = lab.partition([[0], range(1, 10)]);
    lab.runUntil(20 * 3_600_000);
    for (const node of range(1, 10)) {
      expect(lab.node(node).membership?.stateOf(lab.node(0).identity.address)).toBe("down");
    }
    lab.heal(cut);
    calmWithin(lab, 600);
  });
});
