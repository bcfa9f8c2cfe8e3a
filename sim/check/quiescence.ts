/**
 * After convergence traffic falls to its idle level and stays there: no data moves, no state
 * changes, and what keeps members and digests fresh stays below a bound that grows with neither
 * the cluster nor what happened before.
 */
import type { Traffic } from "../traffic.ts";

/** One look at the counters. */
export interface TrafficMark {
  readonly atUs: number;
  readonly messages: readonly number[];
  readonly bytes: readonly number[];
  readonly dataMessages: number;
  readonly stateChanges: number;
}

export function markTraffic(atUs: number, traffic: Traffic): TrafficMark {
  return {
    atUs,
    messages: [...traffic.messages],
    bytes: [...traffic.bytes],
    dataMessages: traffic.dataMessages,
    stateChanges: traffic.stateChanges,
  };
}

/** Per node and second. */
export interface IdleLevel {
  readonly swimBytes: number;
  readonly swimMessages: number;
  readonly dataBytes: number;
}

/**
 * Membership: a ping and an ack a period carry some 80 bytes a second; lost packets, rumors of
 * the last events and the digests of anti-entropy may multiply it. In messages that is two a period
 * and seldom five; a rumor that never ends would be told fifteen times a second. Data: digests alone.
 */
export const idleLevels: Readonly<Record<"lan" | "wan" | "fast", IdleLevel>> = {
  lan: { swimBytes: 600, swimMessages: 10, dataBytes: 600 },
  wan: { swimBytes: 600, swimMessages: 10, dataBytes: 600 },
  fast: { swimBytes: 1500, swimMessages: 25, dataBytes: 600 },
};

/** What was not idle between two looks, or null. */
export function restless(
  before: TrafficMark,
  after: TrafficMark,
  liveNodes: number,
  level: IdleLevel,
): string | null {
  const seconds = (after.atUs - before.atUs) / 1e6;
  const dataMessages = after.dataMessages - before.dataMessages;
  if (dataMessages > 0) return `${dataMessages} messages carried data`;
  const changes = after.stateChanges - before.stateChanges;
  if (changes > 0) return `${changes} changes of state`;
  const rate = (values: readonly number[], old: readonly number[], planes: number[]): number =>
    planes.reduce((sum, p) => sum + (values[p] as number) - (old[p] as number), 0) /
    seconds /
    Math.max(1, liveNodes);
  const swim = rate(after.bytes, before.bytes, [0]);
  if (swim > level.swimBytes) {
    return `membership takes ${Math.round(swim)} bytes/s a node; idle is at most ${level.swimBytes}`;
  }
  const messages = rate(after.messages, before.messages, [0]);
  if (messages > level.swimMessages) {
    return `membership sends ${Math.round(messages)} messages/s a node; idle is at most ${level.swimMessages}`;
  }
  const data = rate(after.bytes, before.bytes, [1, 2]);
  if (data > level.dataBytes) {
    return `broadcast and sync take ${Math.round(data)} bytes/s a node; idle is at most ${level.dataBytes}`;
  }
  return null;
}
