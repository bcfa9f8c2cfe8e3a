/** Pitfalls of other systems in which healthy members were taken for dead. */
import { describe, expect, test } from "vitest";
import { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { calmWithin, countNotices, expectCalm, expectSafe, isDown, range } from "./lab-checks.ts";

describe("pitfall 1: a refuted suspicion makes the accuser renew the healthy member", () => {
  test("SW03, SW25: at 10 % loss nobody renews its identity in 130 s, though there are suspicions", () => {
    // Without its reliable path the detector is wrong often enough to try the refutations.
    const lab = new SwimLab({ seed: "pitfall-1", nodes: 100, loss: 0.1 });
    const renewed = countNotices(lab, ({ type }) => type === "renewed");
    const deaths = countNotices(lab, isDown);
    lab.start();
    for (const node of range(0, 10)) {
      // Each is silent for a while, long enough to be suspected by somebody.
      lab.at(10_000 + node * 10_000, () => lab.pause(node));
      lab.at(13_000 + node * 10_000, () => lab.resume(node));
    }
    const suspected = countNotices(
      lab,
      (notice) => notice.type === "member" && notice.state === "suspect",
    );
    const refutations = (): number => {
      let sum = 0;
      for (const { membership } of lab.running()) sum += membership.stats().counters.refutations;
      return sum;
    };
    lab.runUntil(130_000);
    expect(suspected.count).toBeGreaterThan(100);
    expect(refutations()).toBeGreaterThan(0);
    expect(renewed.count).toBe(0);
    expect(deaths.count).toBe(0);
    calmWithin(lab, 10);
  });

  test("SW19: after its refutation no message still accuses the member at the refuted incarnation", () => {
    const lab = new SwimLab({ seed: "pitfall-1b", nodes: 30 });
    lab.start();
    lab.runUntil(5000);
    lab.pause(3);
    lab.runUntil(9000);
    lab.resume(3);
    lab.runUntil(12_000);
    const { incarnation } = lab.node(3).membership as NonNullable<
      (typeof lab.nodes)[0]["membership"]
    >;
    expect(incarnation).toBeGreaterThan(0);
    const before = lab.traffic.bytes;
    lab.runUntil(22_000);
    // Calm again: pings and acks alone, and nobody renewed or refuted anew.
    expect((lab.traffic.bytes - before) / 30 / 10).toBeLessThan(40);
    expect(lab.node(3).membership?.incarnation).toBe(incarnation);
    expectCalm(lab);
  });
});

describe("pitfall 4: one node that can send but not receive", () => {
  test("SW03, SW09: in two minutes it brings nobody down in the eyes of the others", () => {
    const lab = new SwimLab({ seed: "pitfall-4", nodes: 100 });
    const accused = countNotices(
      lab,
      (notice, node) =>
        notice.type === "member" &&
        notice.state === "suspect" &&
        notice.about !== "n0" &&
        node !== 0,
    );
    const deaths = countNotices(
      lab,
      (notice, node) => isDown(notice) && node !== 0 && "about" in notice && notice.about !== "n0",
    );
    lab.start();
    lab.runUntil(5000);
    const cut = lab.partition([range(1, 100), [0]], true);
    lab.runUntil(125_000);
    expect(accused.count).toBeGreaterThan(100);
    expect(deaths.count).toBe(0);
    // The deaf one itself is found out: nobody else can reach it.
    expect(lab.node(50).membership?.stateOf(lab.node(0).identity.address)).toBe("down");
    lab.heal(cut);
    calmWithin(lab, 10);
  });

  test("SW09: it doubts itself, and accuses ever more slowly", () => {
    const lab = new SwimLab({ seed: "pitfall-4b", nodes: 100 });
    lab.start();
    lab.partition([range(1, 100), [0]], true);
    lab.runUntil(60_000);
    const stats = lab.node(0).membership?.stats();
    expect(stats?.health).toBe(7);
    expect(stats?.counters.probeFailures).toBeLessThan(20);
    expectSafe(lab);
  });
});

describe("pitfall 12: a frozen process is not slow input and output", () => {
  test("SW12: a process frozen for 30 s takes nobody for dead when it wakes", () => {
    const lab = new SwimLab({ seed: "pitfall-12", nodes: 40 });
    const ofTheFrozen = countNotices(lab, (notice, node) => node === 7 && isDown(notice));
    lab.start();
    lab.runUntil(5000);
    // It holds a suspicion when it freezes, so that one may run out in its sleep.
    lab.pause(8);
    lab.runUntil(9000);
    const suspected = lab.node(7).membership?.stateOf(lab.node(8).identity.address);
    expect(suspected).toBe("suspect");
    lab.pause(7);
    lab.resume(8);
    lab.runUntil(39_000);
    lab.resume(7);
    lab.runUntil(60_000);
    expect(lab.node(7).membership?.stats().counters.stalls).toBeGreaterThan(0);
    expect(ofTheFrozen.count).toBe(0);
    calmWithin(lab, 10);
  });

  test("SW12: the others take the frozen one for dead, and back when it wakes", () => {
    const lab = new SwimLab({ seed: "pitfall-12b", nodes: 40 });
    lab.start();
    lab.runUntil(5000);
    lab.pause(7);
    lab.runUntil(35_000);
    expect(lab.node(8).membership?.stateOf(lab.node(7).identity.address)).toBe("down");
    lab.resume(7);
    calmWithin(lab, 5);
    expect(lab.node(7).identity.epoch).toBe(1);
  });

  test("SW09: blocked input and output for 8 s brings nobody down, on either side", () => {
    const lab = new SwimLab({ seed: "pitfall-12c", nodes: 128 });
    const deaths = countNotices(lab, isDown);
    lab.start();
    lab.runUntil(5000);
    for (const node of range(0, 8)) lab.block(node);
    lab.runUntil(12_000);
    const accusers = range(0, 8).filter(
      (node) => (lab.node(node).membership?.stats().suspect ?? 0) > 0,
    );
    expect(accusers.length).toBeGreaterThan(0);
    for (const node of range(0, 8)) lab.unblock(node);
    calmWithin(lab, 20);
    expect(deaths.count).toBe(0);
  });

  test("SW09: blocked for two minutes they are found dead, and accuse almost nobody", () => {
    const lab = new SwimLab({ seed: "pitfall-12d", nodes: 64 });
    const aboutHealthy = countNotices(
      lab,
      (notice, node) =>
        isDown(notice) && node >= 4 && "about" in notice && lab.indexOf(notice.about) >= 4,
    );
    lab.start();
    lab.runUntil(5000);
    for (const node of range(0, 4)) lab.block(node);
    lab.runUntil(125_000);
    expect(lab.node(10).membership?.stats().down).toBe(4);
    for (const node of range(0, 4)) lab.unblock(node);
    calmWithin(lab, 30);
    expect(aboutHealthy.count).toBe(0);
  });
});
