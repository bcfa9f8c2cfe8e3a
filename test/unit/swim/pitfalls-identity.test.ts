/** Pitfalls of other systems around restarts, addresses and identities. */
import { describe, expect, test } from "vitest";
import type { Notice } from "../../../core/node/event.ts";
import { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { calmWithin, countNotices, expectCalm, isDown, range } from "./lab-checks.ts";
import { identity, record, Solo, tag } from "./solo.ts";

describe("pitfall 5: a mass restart against news of deaths at high incarnations", () => {
  test("SW24: all of 60 restart while dead at high incarnations; all are members again in seconds", () => {
    const lab = new SwimLab({ seed: "pitfall-5", nodes: 80 });
    lab.start();
    lab.runUntil(3000);
    // Three freezes each raise the incarnations of those that will restart.
    for (const round of range(0, 3)) {
      for (const node of range(20, 80)) lab.at(4000 + round * 6000, () => lab.pause(node));
      for (const node of range(20, 80)) lab.at(6500 + round * 6000, () => lab.resume(node));
    }
    lab.runUntil(25_000);
    const highest = Math.max(...range(20, 80).map((n) => lab.node(n).membership?.incarnation ?? 0));
    expect(highest).toBeGreaterThan(0);
    for (const node of range(20, 80)) lab.crash(node);
    // With three quarters of its helpers gone a member doubts itself first: this takes its time.
    const found = (): boolean => lab.node(0).membership?.stats().down === 60;
    expect(lab.runUntilTrue(found, 300_000, 1000)).toBeGreaterThan(0);
    for (const node of range(20, 80)) lab.restart(node, [0, 1]);
    expect(calmWithin(lab, 8)).toBeLessThan(8);
    expect(lab.node(0).membership?.stats().down).toBe(0);
  });

  test("SW24: also when they restart before their deaths were found", () => {
    const lab = new SwimLab({ seed: "pitfall-5b", nodes: 60 });
    lab.start();
    lab.runUntil(5000);
    for (const node of range(10, 60)) lab.crash(node);
    lab.runUntil(6000);
    for (const node of range(10, 60)) lab.restart(node, [0]);
    calmWithin(lab, 10);
    lab.runUntil(60_000);
    expectCalm(lab);
  });

  test("SW25: a disk that lost the epoch is told, and outbids its earlier self", () => {
    const lab = new SwimLab({ seed: "pitfall-5c", nodes: 20 });
    lab.start();
    lab.runUntil(5000);
    for (const boot of range(0, 3)) {
      lab.crash(5);
      lab.runUntil(8000 + boot * 3000);
      lab.restart(5, [0]);
    }
    expect(lab.node(5).identity.epoch).toBe(4);
    lab.crash(5);
    lab.node(5).identity = { ...lab.node(5).identity, epoch: 1 };
    lab.boot(5, [0], null);
    calmWithin(lab, 5);
    expect(lab.node(5).identity.epoch).toBe(5);
  });
});

describe("pitfall 8: old identities of restarted nodes are kept", () => {
  test("SW24: after every node restarted six times the list has one entry for each", () => {
    const lab = new SwimLab({ seed: "pitfall-8", nodes: 30 });
    lab.start();
    for (const round of range(0, 6)) {
      for (const node of range(1, 30)) {
        const at = 2000 + round * 10_000 + node * 150;
        lab.at(at, () => lab.crash(node));
        lab.at(at + 3000, () => lab.restart(node, [0]));
      }
    }
    lab.runUntil(66_000);
    calmWithin(lab, 10);
    for (const { membership } of lab.running()) {
      expect(membership.members()).toHaveLength(30);
      expect(membership.members().filter(({ epoch }) => epoch === 7)).toHaveLength(29);
    }
    // Nobody holds on to an identity that is gone.
    expect(lab.directory.size).toBe(30);
  });
});

describe("pitfall 9: addresses and identities change hands", () => {
  const conflicts = (lab: SwimLab): { count: number } =>
    countNotices(lab, ({ type }: Notice) => type === "identityConflict" || type === "renewed");

  test("SW01, SW25: a node is replaced at its address by one with an empty disk", () => {
    const lab = new SwimLab({ seed: "pitfall-9a", nodes: 20 });
    lab.start();
    lab.runUntil(5000);
    lab.crash(4);
    lab.runUntil(7000);
    lab.restart(4, [0], true);
    calmWithin(lab, 10);
    const seen = lab.node(9).membership?.memberOf(lab.node(4).identity.address);
    expect(seen?.nodeId).toBe(lab.node(4).identity.nodeId);
  });

  test("SW25: two live nodes with one address are told of it, and neither floods the cluster", () => {
    // Both answer at n5: what is sent there reaches the one or the other.
    const lab = new SwimLab({ seed: "pitfall-9b", nodes: 21 });
    const told = conflicts(lab);
    const twin = lab.node(20);
    lab.start();
    lab.runUntil(3000);
    lab.crash(20);
    twin.identity = { ...lab.node(5).identity, nodeId: identity("twin").nodeId };
    const twinSolo = new Solo({ self: twin.identity });
    twinSolo.among(
      ...range(0, 20)
        .filter((n) => n !== 5)
        .map((n) => lab.node(n).identity),
    );
    lab.runUntil(20_000);
    const renewals: number[] = [];
    lab.onNotice = (node, notice, nowMs) => {
      if (node === 5 && notice.type === "renewed") renewals.push(nowMs);
    };
    lab.traffic.reset();
    for (let second = 0; second < 120; second++) {
      // The twin speaks up whenever its own rules let it.
      twinSolo.advance(1000);
      twinSolo.hear(lab.node(1).identity, record(lab.node(5).identity, "alive", 0, { full: true }));
      const epoch = twinSolo.membership.identity.epoch;
      const claim = record({ ...twin.identity, epoch }, "alive", 0, { full: true });
      const at = 1 + (second % 4);
      const bytes = twinSolo
        .take("gossip")
        .find((sent) => Solo.about(sent, { ...twin.identity, epoch }));
      if (bytes !== undefined) lab.inject(at, lab.node(5).identity.address, bytes.bytes);
      expect(claim.body).not.toBeNull();
      lab.runUntil(20_000 + (second + 1) * 1000);
    }
    expect(told.count + renewals.length).toBeGreaterThan(1);
    expect(renewals.length).toBeLessThan(12);
    expect(lab.traffic.bytes / 20 / 120).toBeLessThan(300);
  });

  test("SW06: asked to ping its own old identity, a node says no and does not ping itself", () => {
    const solo = new Solo({ self: identity("self", { epoch: 5 }) }).among(identity("a"));
    solo.take();
    const old = tag(identity("self", { epoch: 4 }));
    const source = tag(identity("a")).lo;
    solo.deliver(identity("a"), {
      kind: "pingReq",
      seq: 1,
      source,
      targetHi: old.hi,
      target: old.lo,
    });
    expect(solo.take().map(({ to, message }) => [to, message.kind])).toEqual([["a", "nack"]]);
  });

  test("SW25: a node that learns its own previous identity is not moved by it", () => {
    const solo = new Solo({ self: identity("self", { epoch: 5 }) }).among(identity("a"));
    const old = identity("self", { epoch: 4 });
    for (const state of ["alive", "suspect", "down", "left"] as const) {
      solo.hear(identity("a"), record(old, state, 9, { full: true }));
    }
    expect(solo.membership.identity.epoch).toBe(5);
    expect(solo.membership.incarnation).toBe(0);
    expect(solo.membership.members()).toHaveLength(2);
  });
});

describe("pitfall 11: leaving without end, or taken for a failure", () => {
  test("SW23: all know that it left; nobody suspects it; the news dies away", () => {
    const lab = new SwimLab({ seed: "pitfall-11", nodes: 50 });
    lab.start();
    lab.runUntil(5000);
    const wrong = countNotices(
      lab,
      (notice) =>
        notice.type === "member" && (notice.state === "suspect" || notice.state === "down"),
    );
    const heard = countNotices(
      lab,
      (notice) => notice.type === "member" && notice.state === "left",
    );
    lab.leave(7);
    lab.runUntil(7000);
    expect(heard.count).toBe(49);
    lab.traffic.reset();
    lab.runUntil(37_000);
    expect(wrong.count).toBe(0);
    // Only pings and acks are left.
    expect(lab.traffic.bytes / 49 / 30).toBeLessThan(34);
    expectCalm(lab);
  });

  test("SW23: ten leave at once under loss, and each is known to have left, not to have died", () => {
    const lab = new SwimLab({ seed: "pitfall-11b", nodes: 60, loss: 0.1 });
    lab.start();
    lab.runUntil(5000);
    const deaths = countNotices(lab, isDown);
    for (const node of range(0, 10)) lab.leave(node);
    lab.runUntil(30_000);
    for (const { membership } of lab.running()) expect(membership.stats().left).toBe(10);
    expect(deaths.count).toBe(0);
    expectCalm(lab);
  });

  test("SW23, SW24: one that left comes back under a higher epoch", () => {
    const lab = new SwimLab({ seed: "pitfall-11c", nodes: 20 });
    lab.start();
    lab.runUntil(5000);
    lab.leave(3);
    lab.runUntil(8000);
    lab.restart(3, [0]);
    calmWithin(lab, 5);
  });
});
