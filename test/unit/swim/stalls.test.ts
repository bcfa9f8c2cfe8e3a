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
