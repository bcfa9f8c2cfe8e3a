import { expect, test } from "vitest";
import { idleLevels, markTraffic, restless } from "../../../sim/check/quiescence.ts";
import { Traffic } from "../../../sim/traffic.ts";

/** What is said of ten seconds of two nodes in which `busy` happened. */
function verdict(busy: (traffic: Traffic) => void): string | null {
  const traffic = new Traffic();
  traffic.count(1, "push", 1000);
  const before = markTraffic(5_000_000, traffic);
  busy(traffic);
  return restless(before, markTraffic(15_000_000, traffic), 2, idleLevels.lan);
}

test("SI25: data on its way, changes of state and too much talk are not quiet", () => {
  expect(verdict((t) => t.count(1, "push", 10))).toBe("1 messages carried data");
  expect(verdict((t) => t.count(2, "syncChunks", 10))).toBe("1 messages carried data");
  expect(verdict((t) => t.count(2, "rowStates", 10))).toBe("1 messages carried data");
  expect(verdict((t) => t.stateChanges++)).toBe("1 changes of state");
  expect(verdict((t) => t.count(0, "ping", 20_000))).toContain("membership takes 1000 bytes/s");
  const chatter = (t: Traffic): void => {
    for (let i = 0; i < 300; i++) t.count(0, "gossip", 20);
  };
  expect(verdict(chatter)).toContain("membership sends 15 messages/s");
  expect(verdict((t) => t.count(1, "ihave", 20_000))).toContain("broadcast and sync take 1000");
  expect(verdict((t) => t.count(2, "syncDigest", 20_000))).toContain(
    "broadcast and sync take 1000",
  );
});

test("SI25: pings and digests at their idle level are quiet", () => {
  const idle = (t: Traffic): void => {
    for (let i = 0; i < 40; i++) t.count(0, "ping", 40);
    for (let i = 0; i < 4; i++) t.count(2, "syncDigest", 60);
  };
  expect(verdict(idle)).toBeNull();
});
