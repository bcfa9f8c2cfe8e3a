/** The messages that cross a window of time, found without looking at all of them. */
import type { Loaded } from "../../app/loaded.ts";
import { IntList } from "../../model/grow.ts";
import { Kind } from "../../model/kinds.ts";
import { firstAt } from "../../model/trace.ts";
import { blockEvents } from "../../model/trace-index.ts";

/** Above this many, lines are no longer told apart: lanes show density and only a sample is drawn. */
export const maxLines = 6_000;

export interface VisibleMessages {
  /** Receives and drops whose message is on its way within the window; a sample when `sampled`. */
  readonly outcomes: Int32Array;
  /** Sends that never ended, in the window or a little before it; a sample of very many. */
  readonly unfinished: Int32Array;
  readonly sampled: boolean;
  /** Events [first, last) lie in the window. */
  readonly first: number;
  readonly last: number;
}

/** Events looked at, at most, before the outcomes are sampled by blocks. */
const maxLooked = 30_000;

/** @param planes bits: swim 1, gossip 2, sync 4. */
export function visibleMessages(
  { trace, index }: Loaded,
  from: number,
  to: number,
  planes: number,
): VisibleMessages {
  const { kind, label, labels, ref, t } = trace;
  const first = firstAt(trace, from);
  const last = firstAt(trace, to);
  const shown = labels.map(({ plane }) => plane < 0 || (planes & (1 << plane)) !== 0);
  const isShown = (event: number): boolean => shown[label[event] as number] === true;
  const outcomes = new IntList(1024);
  const stride = Math.max(1, Math.ceil((last - first) / maxLooked));
  const take = (i: number): void => {
    if (kind[i] !== Kind.recv && kind[i] !== Kind.drop) return;
    if (isShown(i)) outcomes.push(i);
  };
  for (let i = first; i < last; i += stride) take(i);

  // Messages sent before the window's end that arrive after it.
  let beyond = 0;
  for (let block = Math.floor(last / blockEvents); block < index.earliestSend.length; block++) {
    if ((index.earliestSend[block] as number) >= to) continue;
    const end = Math.min(trace.count, (block + 1) * blockEvents);
    for (let i = Math.max(last, block * blockEvents); i < end; i++) {
      const send = ref[i] as number;
      if (kind[i] === Kind.send || send < 0 || (t[send] as number) >= to) continue;
      take(i);
    }
    if (++beyond * blockEvents > maxLooked) break;
  }
  const all = outcomes.toArray();
  const sampled = stride > 1 || all.length > maxLines;
  return {
    outcomes: sampled ? sample(all, maxLines / 3) : all,
    unfinished: sample(unfinishedIn(trace, index.unfinished, from, to).filter(isShown), maxLines),
    sampled,
    first,
    last,
  };
}

/** Of a live trace nearly all sends are such: the node that receives them tells of it elsewhere. */
function unfinishedIn(
  { t }: Loaded["trace"],
  sends: Int32Array,
  from: number,
  to: number,
): Int32Array {
  const placeOf = (time: number): number => {
    let low = 0;
    let high = sends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((t[sends[middle] as number] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return sends.subarray(placeOf(from - (to - from) / 20), placeOf(to));
}

/** Evenly spaced items, about `count` of them. */
function sample(items: Int32Array, count: number): Int32Array {
  if (items.length <= count) return items;
  const stride = items.length / count;
  return Int32Array.from(
    { length: Math.min(items.length, Math.floor(items.length / stride)) },
    (_, i) => items[Math.floor(i * stride)] as number,
  );
}
