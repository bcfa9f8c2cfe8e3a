import { expect, test } from "vitest";
import { ofPeers, StoreFailures } from "../../../runtime/agent/store-failures.ts";

test("a store that takes nothing is told of at first, with each new reason, every minute, and when it is over", () => {
  const lines: string[] = [];
  const states: (string | null)[] = [];
  const failures = new StoreFailures(
    (level, message, fields) => lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
    (why) => states.push(why),
    ofPeers,
  );
  failures.note(0, null);
  for (let ms = 1000; ms <= 70_000; ms += 1000) failures.note(ms, "the disk is full");
  failures.note(71_000, "the disk failed");
  failures.note(72_000, null);
  failures.note(73_000, null);
  expect(lines).toEqual([
    'error what peers sent cannot be stored; it is tried again {"why":"the disk is full"}',
    'error what peers sent cannot be stored; it is tried again {"why":"the disk is full"}',
    'error what peers sent cannot be stored; it is tried again {"why":"the disk failed"}',
    "info what peers send can be stored again {}",
  ]);
  expect(states).toHaveLength(72);
  expect(states.slice(-3)).toEqual(["the disk is full", "the disk failed", null]);
});
