/** Moves the time cursor while playing: virtual time by speed, round and round in a loop. */
import type { AppState } from "./state.ts";

/** A frame longer than this (a hidden tab, a busy machine) does not make the cursor jump. */
const maxFrameMs = 100;
/** The same where the cursor moves in steps. */
const maxStepMs = 600;

/** The state's change after `frameMs` of real time; null when there is nothing to play. */
export function advance(
  state: Pick<AppState, "t" | "speed" | "loop">,
  frameMs: number,
  end: number,
  inSteps = false,
): { t: number; playing: boolean } {
  const by = Math.min(inSteps ? maxStepMs : maxFrameMs, frameMs) * 1000 * state.speed;
  const next = state.t + by;
  if (state.loop !== null) {
    const [from, to] = state.loop;
    if (next > to || next < from) return { t: from, playing: true };
    return { t: next, playing: true };
  }
  if (next >= end) return { t: end, playing: false };
  return { t: next, playing: true };
}

/** The window moved so that it shows `t`; null if it does already. */
export function windowFor(
  { from, to }: Pick<AppState, "from" | "to">,
  t: number,
): readonly [number, number] | null {
  const length = to - from;
  if (t >= from && t <= to) return null;
  const start = t > to ? t - length * 0.15 : t - length * 0.85;
  return [start, start + length];
}
