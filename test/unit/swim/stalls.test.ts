/** Two ways in which a network can stand still for a program. */
import { expect, test } from "vitest";
import { lanProfile } from "../../../core/swim/config.ts";
import { SwimLab } from "../../../sim/swim-lab/lab.ts";

/** Members that node 0 had pinged when its network stood still for ten seconds. */
function pinged(stalls: boolean): number {
  const lab = new SwimLab({ seed: "stalls", nodes: 20, watch: false });
  lab.start();
  lab.runUntil(5000);
  const to = new Set<number>();
  lab.onSend = (packet) => {
    if (packet.from === 0 && packet.kind === "ping") to.add(packet.to);
  };
  lab.block(0, stalls);
  lab.runUntil(15_000);
  expect(to.size).toBe(0);
  lab.unblock(0);
  return to.size;
}

test("SW04: one whose messages wait pings one member a period, one whose activities stall a single one", () => {
  expect(pinged(false)).toBeGreaterThanOrEqual(9);
  expect(pinged(true)).toBeLessThanOrEqual(2);
});

test("SW12: a standstill is noticed by late timers, unless told not to", () => {
  const stalls = (noticeStalls: boolean): number => {
    const lab = new SwimLab({
      seed: "notice",
      nodes: 5,
      watch: false,
      config: { ...lanProfile, noticeStalls },
    });
    lab.start();
    lab.runUntil(5000);
    lab.pause(0);
    lab.runUntil(15_000);
    lab.resume(0);
    return lab.node(0).membership?.stats().counters.stalls ?? -1;
  };
  expect(stalls(true)).toBe(1);
  expect(stalls(false)).toBe(0);
});

test("SW07: suspicions run out, one after the other, while the activities that tell of them stall", () => {
  const lab = new SwimLab({ seed: "stalled suspicions", nodes: 20, watch: false });
  const held = (node: number) =>
    lab.node(0).membership?.stateOf(lab.node(node).identity.address) ?? "";
  const suspects = (node: number) => () => held(node) === "suspect";
  lab.start();
  lab.runUntil(5000);
  lab.crash(5);
  expect(lab.runUntilTrue(suspects(5), 15_000)).toBeGreaterThan(0);
  lab.crash(6);
  expect(lab.runUntilTrue(suspects(6), lab.nowMs + 15_000)).toBeGreaterThan(0);
  expect(held(5)).toBe("suspect");
  lab.block(0, true);
  lab.runUntil(lab.nowMs + 40_000);
  expect([held(5), held(6)]).toEqual(["down", "down"]);
});

test("SW05: where late activities act first, an answer that lay in the socket comes too late", () => {
  const accused = (lateFirst: boolean): number => {
    const lab = new SwimLab({
      seed: "late",
      nodes: 20,
      watch: false,
      config: { ...lanProfile, noticeStalls: false, localHealthMax: 0 },
    });
    lab.start();
    lab.runUntil(5000);
    lab.block(0, true);
    lab.runUntil(15_000);
    lab.unblock(0, lateFirst);
    // A message is under way for longer: the ping has left, its answer is not there.
    lab.runUntil(lab.nowMs + 0.4);
    lab.block(0, true);
    lab.runUntil(lab.nowMs + 10_000);
    lab.unblock(0, lateFirst);
    return lab.node(0).membership?.stats().counters.probeFailures ?? -1;
  };
  expect(accused(true)).toBeGreaterThan(accused(false));
});
