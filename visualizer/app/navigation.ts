/** Steps and jumps along a trace: which event or moment comes next. */
import { Kind } from "../model/kinds.ts";
import { nextMark } from "../model/marks.ts";
import type { Trace } from "../model/trace.ts";
import type { Loaded } from "./loaded.ts";
import { type AppState, initialState } from "./state.ts";

/** The next receive after `event` (or the last before it); −1 if there is none. */
export function nextDelivery(trace: Trace, event: number, by: 1 | -1): number {
  let at = event + by;
  while (at >= 0 && at < trace.count && trace.kind[at] !== Kind.recv) at += by;
  return at >= 0 && at < trace.count ? at : -1;
}

/** Where a trace opens: a live one at its end, others at their first violation, else their first fault, else their beginning. */
export function openingTime({ index, trace, end }: Loaded): number {
  if (trace.header.source === "live") return end;
  const first = nextMark(index.marks, ["violation"], -1) ?? nextMark(index.marks, ["fault"], -1);
  return first?.t ?? 0;
}

/** The whole run with a little air on both sides. */
export function wholeWindow(end: number): readonly [number, number] {
  return [-end * 0.01, end * 1.01];
}

/** State for a trace that has just been opened: how it is shown stays, what is shown begins anew. */
export function freshState(
  { view, split, speed, planes, layout, inspector }: AppState,
  loaded: Loaded,
): AppState {
  const [from, to] = wholeWindow(loaded.end);
  // Of a trace that one node tells, what that node believes is all that is known of the others.
  const alone = loaded.trace.header.source === "live" && loaded.told.length === 1;
  const observer = alone ? (loaded.told[0] as number) : initialState.observer;
  return { ...initialState, view, split, speed, planes, layout, inspector, observer, from, to };
}

/** A live trace is shown whole until it is this long; then the window goes along with its end. */
const wholeUntilUs = 30_000_000;

/** A live trace has grown from `before` to `end`: the window of who saw its end goes along. */
export function grownWindow(
  { from, to }: Pick<AppState, "from" | "to">,
  before: number,
  end: number,
): readonly [number, number] {
  if (to < before) return [from, to];
  if (from <= 0 && end <= wholeUntilUs) return wholeWindow(end);
  return [from + end - before, to + end - before];
}
