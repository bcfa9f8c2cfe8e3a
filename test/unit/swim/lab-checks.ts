/** What every scenario in the lab ends with. */
import { expect } from "vitest";
import type { Notice } from "../../../core/node/event.ts";
import type { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { disagreements } from "../../../sim/swim-lab/measure.ts";

/** Nothing that must never happen has happened, whatever the state of things. */
export function expectSafe(lab: SwimLab): void {
  lab.watch?.inspect();
  expect(lab.watch?.violations).toEqual([]);
}

/** All running nodes list exactly one another, alive, with the same incarnations and epochs. */
export function expectCalm(lab: SwimLab): void {
  expectSafe(lab);
  expect(disagreements(lab)).toEqual([]);
  const digests = new Set<number>();
  for (const { membership } of lab.running()) digests.add(membership.digest);
  expect(digests.size).toBe(1);
}

/** Runs until all agree, and expects that they do in time; returns how many seconds it took. */
export function calmWithin(lab: SwimLab, sec: number): number {
  const beganMs = lab.nowMs;
  const done = (): boolean => disagreements(lab, 1).length === 0;
  const at = lab.runUntilTrue(done, beganMs + sec * 1000, 100);
  if (at < 0) expect(disagreements(lab)).toEqual([]);
  expectSafe(lab);
  return (at - beganMs) / 1000;
}

/** Counts the notices that `which` picks. */
export function countNotices(
  lab: SwimLab,
  which: (notice: Notice, node: number, nowMs: number) => boolean,
): { count: number } {
  const counter = { count: 0 };
  const before = lab.onNotice;
  lab.onNotice = (node, notice, nowMs) => {
    before?.(node, notice, nowMs);
    if (which(notice, node, nowMs)) counter.count++;
  };
  return counter;
}

export function isDown(notice: Notice): boolean {
  return notice.type === "member" && notice.state === "down";
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
