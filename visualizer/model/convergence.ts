/** How far apart the nodes are over time, from their `state` events and from what they hold. */
import { IntList } from "./grow.ts";
import { survivors, type HeldIndex } from "./held.ts";
import { Kind } from "./kinds.ts";
import { statusesAt, type Timeline } from "./timeline.ts";
import { pairFirst, sideObject, type Trace } from "./trace.ts";

/** Steps: each holds from its `t` to the next one's. */
export interface AgreementSteps {
  readonly t: Float64Array<ArrayBuffer>;
  /** Running nodes. */
  readonly live: Int32Array<ArrayBuffer>;
  /** Running nodes whose state is the final one. */
  readonly final: Int32Array<ArrayBuffer>;
  /** Different states among running nodes. */
  readonly distinct: Int32Array<ArrayBuffer>;
  /** Hash id of the final state, −1 if there is none. */
  readonly finalHash: number;
}

/** Versions held over time: node n's steps are `start[n]` to `start[n + 1]`. */
export interface HeldSteps {
  readonly start: Int32Array<ArrayBuffer>;
  readonly event: Int32Array<ArrayBuffer>;
  readonly held: Int32Array<ArrayBuffer>;
  /** Commit events of the versions that survive to the end, ascending. */
  readonly committed: Int32Array<ArrayBuffer>;
  /** The trace began in the middle: what was written before is known by what others hold. */
  readonly live: boolean;
}

/** @param told by node, 1 where its data are told. */
export function buildAgreement(trace: Trace, timeline: Timeline, told: Uint8Array): AgreementSteps {
  const nodes = trace.nodes.length;
  const finalHash = findFinalHash(trace, timeline);
  const hashOf = new Int32Array(nodes).fill(-1);
  const live = new Uint8Array(nodes);
  const counts = new Int32Array(trace.hashes.length);
  const steps = {
    t: [] as number[],
    live: new IntList(),
    final: new IntList(),
    distinct: new IntList(),
  };
  let running = 0;
  let distinct = 0;

  const count = (hash: number, by: 1 | -1): void => {
    if (hash < 0) return;
    const before = counts[hash] as number;
    counts[hash] = before + by;
    if (before === 0) distinct++;
    if (before + by === 0) distinct--;
  };
  const setLive = (n: number, alive: 0 | 1): void => {
    if (n < 0 || live[n] === alive || told[n] !== 1) return;
    live[n] = alive;
    running += alive === 1 ? 1 : -1;
    count(hashOf[n] as number, alive === 1 ? 1 : -1);
  };
  const note = (t: number): void => {
    const last = steps.t.length - 1;
    const final = finalHash < 0 ? 0 : (counts[finalHash] as number);
    const same =
      last >= 0 &&
      steps.live.at(last) === running &&
      steps.final.at(last) === final &&
      steps.distinct.at(last) === distinct;
    if (same) return;
    if (last >= 0 && steps.t[last] === t) {
      steps.live.set(last, running);
      steps.final.set(last, final);
      steps.distinct.set(last, distinct);
      return;
    }
    steps.t.push(t);
    steps.live.push(running);
    steps.final.push(final);
    steps.distinct.push(distinct);
  };

  for (const [n, status] of statusesAt(timeline, nodes, 0).entries())
    setLive(n, status === "absent" || trace.nodes[n]?.known !== true ? 0 : 1);
  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i] as number;
    if (kind < Kind.state || kind > Kind.join) continue;
    const n = trace.node[i] as number;
    if (kind === Kind.state) {
      if (live[n] === 1) count(hashOf[n] as number, -1);
      hashOf[n] = trace.value[i] as number;
      if (live[n] === 1) count(hashOf[n] as number, 1);
    } else if (kind === Kind.crash || kind === Kind.leave) setLive(n, 0);
    else if (kind === Kind.restart || kind === Kind.join) setLive(n, 1);
    else continue;
    note(trace.t[i] as number);
  }
  return {
    t: Float64Array.from(steps.t),
    live: steps.live.toArray(),
    final: steps.final.toArray(),
    distinct: steps.distinct.toArray(),
    finalHash,
  };
}

/** The hash of the `end` event; without one, the commonest last state of the running nodes. */
function findFinalHash(trace: Trace, timeline: Timeline): number {
  if (trace.ended) {
    const end = sideObject(trace, trace.ref[trace.count - 1] as number);
    const id = trace.hashes.indexOf(String(end["hash"]));
    if (id >= 0) return id;
  }
  const nodes = trace.nodes.length;
  const last = new Int32Array(nodes).fill(-1);
  for (let i = 0; i < trace.count; i++)
    if (trace.kind[i] === Kind.state) last[trace.node[i] as number] = trace.value[i] as number;
  const tally = new Map<number, number>();
  const end = trace.count === 0 ? 0 : (trace.t[trace.count - 1] as number);
  for (const [n, status] of statusesAt(timeline, nodes, end).entries()) {
    const hash = last[n] as number;
    if (status === "up" && hash >= 0) tally.set(hash, (tally.get(hash) ?? 0) + 1);
  }
  let best = -1;
  for (const [hash, times] of tally) if (best < 0 || times > (tally.get(best) ?? 0)) best = hash;
  return best;
}

export function buildHeldSteps(trace: Trace, held: HeldIndex): HeldSteps {
  const nodes = trace.nodes.length;
  const start = new Int32Array(nodes + 1);
  const counted = (kind: number): boolean =>
    kind === Kind.commit || kind === Kind.apply || kind === Kind.state;
  for (let i = 0; i < trace.count; i++)
    if (counted(trace.kind[i] as number)) {
      const next = (trace.node[i] as number) + 1;
      start[next] = (start[next] as number) + 1;
    }
  for (let n = 0; n < nodes; n++) start[n + 1] = (start[n + 1] as number) + (start[n] as number);

  const total = start[nodes] as number;
  const event = new Int32Array(total);
  const count = new Int32Array(total);
  const now = new Int32Array(nodes);
  const next = start.slice();
  const committed = new IntList();
  const alive = survivors(trace, held);
  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i] as number;
    if (!counted(kind)) continue;
    const n = trace.node[i] as number;
    now[n] = kind === Kind.state ? pairFirst(trace.aux[i] as number) : (now[n] as number) + 1;
    const at = next[n] as number;
    next[n] = at + 1;
    event[at] = i;
    count[at] = now[n] as number;
    if (kind === Kind.commit && (!held.complete || alive[trace.ref[i] as number] === 1))
      committed.push(i);
  }
  return {
    start,
    event,
    held: count,
    committed: committed.toArray(),
    live: trace.header.source === "live",
  };
}

/** How many items of ascending `list` are at most `value`. */
export function countUpTo(
  list: Int32Array | Float64Array,
  value: number,
  from = 0,
  to = list.length,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - from;
}

/** Versions that node `n` held just after `event`. */
export function heldCount(steps: HeldSteps, n: number, event: number): number {
  const from = steps.start[n] ?? 0;
  const place = countUpTo(steps.event, event, from, steps.start[n + 1] ?? from);
  return place === 0 ? 0 : (steps.held[from + place - 1] as number);
}

/**
 * Versions written by then that node `n` did not hold just after `event`. Of a live trace: by how
 * many another node held more.
 */
export function behind(steps: HeldSteps, n: number, event: number): number {
  if (steps.live) {
    if (steps.start[n] === steps.start[n + 1]) return 0;
    let most = 0;
    for (let other = 0; other + 1 < steps.start.length; other++)
      most = Math.max(most, heldCount(steps, other, event));
    return most - heldCount(steps, n, event);
  }
  return Math.max(0, countUpTo(steps.committed, event) - heldCount(steps, n, event));
}

/** The step in force at `t`, −1 before the first. */
export function stepAt(steps: AgreementSteps, t: number): number {
  return countUpTo(steps.t, t) - 1;
}
