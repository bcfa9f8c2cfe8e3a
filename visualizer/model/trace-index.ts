/** Everything that is derived from a trace once, where it is read (in a worker), and then only looked up. */
import {
  type AgreementSteps,
  buildAgreement,
  buildHeldSteps,
  type HeldSteps,
} from "./convergence.ts";
import { buildHeld, type HeldIndex, survivors } from "./held.ts";
import { IntList } from "./grow.ts";
import { Kind } from "./kinds.ts";
import { buildMarks, type Mark } from "./marks.ts";
import { tellers } from "./tellers.ts";
import { buildTimeline, type Timeline } from "./timeline.ts";
import { endTime, type Trace } from "./trace.ts";
import { buildTraffic, type Traffic } from "./traffic.ts";

/** Events of one block of the outcome index. */
export const blockEvents = 1024;

export interface TraceIndex {
  /** Events by node: those of node n are `event[start[n]]` to `event[start[n + 1]]`, ascending. */
  readonly byNode: {
    readonly start: Int32Array<ArrayBuffer>;
    readonly event: Int32Array<ArrayBuffer>;
  };
  /** `member` and `restart` events, ascending. */
  readonly memberEvents: Int32Array<ArrayBuffer>;
  /** By block of events: the earliest send among the messages that end in it, Infinity for none. */
  readonly earliestSend: Float64Array<ArrayBuffer>;
  /** What happens to a node's data and beliefs, ascending: commits, applies, parts held, members. */
  readonly markEvents: Int32Array<ArrayBuffer>;
  /** What begins and ends a node's life, snapshots and violations, ascending: few, and never to be missed. */
  readonly lifeEvents: Int32Array<ArrayBuffer>;
  /** Sends that never ended. */
  readonly unfinished: Int32Array<ArrayBuffer>;
  readonly timeline: Timeline;
  /** By node: 1 where the trace tells its data. */
  readonly told: Uint8Array<ArrayBuffer>;
  readonly held: HeldIndex;
  /** By version: 1 where some node holds it at the end. */
  readonly survivors: Uint8Array<ArrayBuffer>;
  readonly heldSteps: HeldSteps;
  readonly agreement: AgreementSteps;
  readonly marks: readonly Mark[];
  /** Of the whole run, for the minimap. */
  readonly traffic: Traffic;
}

const minimapBins = 1024;

export function buildIndex(trace: Trace): TraceIndex {
  const timeline = buildTimeline(trace);
  const held = buildHeld(trace);
  const told = tellers(trace);
  const agreement = buildAgreement(trace, timeline, told);
  return {
    byNode: buildByNode(trace),
    ...buildMessages(trace),
    timeline,
    told,
    held,
    survivors: survivors(trace, held),
    heldSteps: buildHeldSteps(trace, held),
    agreement,
    marks: buildMarks(trace, timeline, agreement),
    traffic: buildTraffic(trace, 0, Math.max(1, endTime(trace)), minimapBins),
  };
}

function buildByNode(trace: Trace): TraceIndex["byNode"] {
  const nodes = trace.nodes.length;
  const start = new Int32Array(nodes + 1);
  let total = 0;
  for (let i = 0; i < trace.count; i++) {
    const n = trace.node[i] as number;
    if (n < 0) continue;
    start[n + 1] = (start[n + 1] as number) + 1;
    total++;
  }
  for (let n = 0; n < nodes; n++) start[n + 1] = (start[n + 1] as number) + (start[n] as number);
  const next = start.slice();
  const event = new Int32Array(total);
  for (let i = 0; i < trace.count; i++) {
    const n = trace.node[i] as number;
    if (n < 0) continue;
    const at = next[n] as number;
    next[n] = at + 1;
    event[at] = i;
  }
  return { start, event };
}

function buildMessages(
  trace: Trace,
): Pick<TraceIndex, "memberEvents" | "markEvents" | "lifeEvents" | "earliestSend" | "unfinished"> {
  const memberEvents = new IntList();
  const markEvents = new IntList();
  const lifeEvents = new IntList();
  const unfinished = new IntList();
  const earliestSend = new Float64Array(Math.ceil(trace.count / blockEvents)).fill(Infinity);
  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i] as number;
    if (kind >= Kind.crash && kind <= Kind.violation) lifeEvents.push(i);
    if (isMark(kind)) markEvents.push(i);
    switch (kind) {
      case Kind.member:
      case Kind.restart:
        memberEvents.push(i);
        break;
      case Kind.send:
        if (trace.ref[i] === -1) unfinished.push(i);
        break;
      case Kind.recv:
      case Kind.drop: {
        const send = trace.ref[i] as number;
        const sent = trace.t[send < 0 ? i : send] as number;
        const block = Math.floor(i / blockEvents);
        if (sent < (earliestSend[block] as number)) earliestSend[block] = sent;
        break;
      }
      default:
    }
  }
  return {
    memberEvents: memberEvents.toArray(),
    markEvents: markEvents.toArray(),
    lifeEvents: lifeEvents.toArray(),
    earliestSend,
    unfinished: unfinished.toArray(),
  };
}

function isMark(kind: number): boolean {
  return (
    kind === Kind.commit || kind === Kind.apply || kind === Kind.buffer || kind === Kind.member
  );
}

/** A node's own events, ascending. */
export function eventsOf(index: TraceIndex, n: number): Int32Array<ArrayBuffer> {
  return index.byNode.event.subarray(index.byNode.start[n] ?? 0, index.byNode.start[n + 1] ?? 0);
}
