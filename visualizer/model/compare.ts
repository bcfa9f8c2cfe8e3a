/** Two traces beside each other: where they part, and what came of it. */
import { Kind, planeNames } from "./kinds.ts";
import { endTime, type Trace } from "./trace.ts";
import { eventsOf, type TraceIndex } from "./trace-index.ts";
import { trafficPlanes } from "./traffic.ts";

export type Parting =
  | { readonly kind: "equal" }
  /** Event `event` is the first that differs; one trace may have ended there. `t`: the earlier of both. */
  | { readonly kind: "differs"; readonly event: number; readonly t: number };

/** The first event in which two traces differ; headers are not compared. */
export function firstDifference(a: Trace, b: Trace): Parting {
  const shared = Math.min(a.count, b.count);
  for (let i = 0; i < shared; i++) if (!sameEvent(a, b, i)) return partAt(a, b, i);
  return a.count === b.count ? { kind: "equal" } : partAt(a, b, shared);
}

function partAt(a: Trace, b: Trace, event: number): Parting {
  const t = Math.min(a.t[event] ?? Infinity, b.t[event] ?? Infinity);
  return { kind: "differs", event, t };
}

/** Names are numbered in the order of their first sight, so equal pasts number them alike. */
function sameEvent(a: Trace, b: Trace, i: number): boolean {
  const kind = a.kind[i] as number;
  if (
    a.t[i] !== b.t[i] ||
    kind !== b.kind[i] ||
    a.node[i] !== b.node[i] ||
    a.peer[i] !== b.peer[i] ||
    a.label[i] !== b.label[i] ||
    a.aux[i] !== b.aux[i]
  )
    return false;
  if (kind === Kind.send) return a.value[i] === b.value[i] && sameLabel(a, b, i);
  if (kind === Kind.recv || kind === Kind.drop) return sameLabel(a, b, i);
  if (kind === Kind.state) return a.hashes[a.value[i] as number] === b.hashes[b.value[i] as number];
  if (a.value[i] !== b.value[i]) return false;
  if (kind === Kind.commit) return sameSide(a, b, sideOfCommit(a, i), sideOfCommit(b, i));
  return kind < Kind.fault || sameSide(a, b, a.ref[i] as number, b.ref[i] as number);
}

function sameLabel(a: Trace, b: Trace, i: number): boolean {
  const x = a.labels[a.label[i] as number];
  const y = b.labels[b.label[i] as number];
  return x?.plane === y?.plane && x?.msg === y?.msg;
}

function sideOfCommit(trace: Trace, event: number): number {
  return trace.versions.side[trace.ref[event] as number] as number;
}

function sameSide(a: Trace, b: Trace, x: number, y: number): boolean {
  const left = sideBytes(a, x);
  const right = sideBytes(b, y);
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

function sideBytes(trace: Trace, index: number): Uint8Array {
  return trace.side.bytes.subarray(trace.side.offsets[index], trace.side.offsets[index + 1]);
}

export interface Metrics {
  readonly events: number;
  readonly durationUs: number;
  readonly commits: number;
  readonly messages: number;
  readonly bytes: number;
  readonly messagesByPlane: readonly number[];
  readonly bytesByPlane: readonly number[];
  readonly dropped: number;
  readonly violations: number;
  /** Most different states that running nodes held at one time. */
  readonly mostStates: number;
  /** From the last write, fault or change of a node's life until all running nodes agree; null if they never do. */
  readonly convergedAfterUs: number | null;
  readonly falseDowns: number;
}

export function metricsOf(trace: Trace, index: TraceIndex): Metrics {
  const { messages, bytes, bins } = index.traffic;
  const byPlane = (values: Float64Array): number[] =>
    Array.from({ length: trafficPlanes }, (_, plane) =>
      values.subarray(plane * bins, (plane + 1) * bins).reduce((sum, x) => sum + x, 0),
    ).slice(0, planeNames.length);
  const messagesByPlane = byPlane(messages);
  const bytesByPlane = byPlane(bytes);
  let commits = 0;
  let dropped = 0;
  let violations = 0;
  let disturbed = 0;
  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i] as number;
    if (kind === Kind.drop) dropped++;
    else if (kind === Kind.violation) violations++;
    else if (kind === Kind.commit || (kind >= Kind.fault && kind <= Kind.join)) {
      if (kind === Kind.commit) commits++;
      disturbed = trace.t[i] as number;
    }
  }
  return {
    events: trace.count,
    durationUs: endTime(trace),
    commits,
    messages: sum(messagesByPlane),
    bytes: sum(bytesByPlane),
    messagesByPlane,
    bytesByPlane,
    dropped,
    violations,
    mostStates: index.agreement.distinct.reduce((most, x) => Math.max(most, x), 0),
    convergedAfterUs: convergedAfter(index, disturbed),
    falseDowns: countFalseDowns(trace, index),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, x) => total + x, 0);
}

function convergedAfter({ agreement }: TraceIndex, disturbed: number): number | null {
  const { distinct, t } = agreement;
  let i = distinct.length - 1;
  if (i < 0 || (distinct[i] as number) > 1) return null;
  while (i > 0 && (distinct[i - 1] as number) <= 1) i--;
  return Math.max(0, (t[i] as number) - disturbed);
}

/** How often a node was held down by somebody while it was running. */
function countFalseDowns(trace: Trace, index: TraceIndex): number {
  const spans = new Map<number, { from: number; to: number }[]>();
  for (const span of index.timeline.spans)
    spans.set(span.n, [...(spans.get(span.n) ?? []), { from: span.from, to: span.to }]);
  let count = 0;
  const down = 3;
  for (const i of index.memberEvents) {
    if (trace.kind[i] !== Kind.member || trace.label[i] !== down) continue;
    const about = trace.peer[i] as number;
    if (eventsOf(index, about).length === 0) continue;
    const t = trace.t[i] as number;
    // News travels: a death noticed up to a minute after the node came back is no false one.
    const wasDown = (spans.get(about) ?? []).some((span) => span.from <= t && t < span.to + 60e6);
    if (!wasDown) count++;
  }
  return count;
}
