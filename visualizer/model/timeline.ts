/** What holds for a while: faults in force, nodes that are down, paused, gone or not yet there. */
import { diskNames, Kind, kindNames } from "./kinds.ts";
import { isObject } from "./line-fields.ts";
import { endTime, nodeName, sideObject, type Trace } from "./trace.ts";

export type NodeStatus = "crashed" | "paused" | "left" | "absent";

/** Node `n` is not running normally in [from, to) microseconds. */
export interface NodeSpan {
  readonly n: number;
  readonly status: NodeStatus;
  readonly from: number;
  readonly to: number;
  /** What the crash did to the disk: "kept", "torn" or "lost"; empty for the others. */
  readonly disk: string;
}

/** A fault in force in [from, to) microseconds; `to` is the end of the trace if it was never lifted. */
export interface FaultBand {
  readonly id: string;
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly event: number;
  /** Groups of a partition; empty otherwise. */
  readonly groups: readonly (readonly number[])[];
  readonly oneway: boolean;
  /** The nodes it is about, for faults of one or two. */
  readonly nodes: readonly number[];
  readonly text: string;
}

/** Of the network between nodes; others are about a node and are shown on it. */
export function isNetworkFault({ kind }: FaultBand): boolean {
  return kind === "partition" || kind === "link";
}

export interface Timeline {
  readonly spans: readonly NodeSpan[];
  readonly bands: readonly FaultBand[];
}

export function buildTimeline(trace: Trace): Timeline {
  const end = endTime(trace);
  const spans: NodeSpan[] = [];
  const bands: FaultBand[] = [];
  const openSpan = new Map<number, { status: NodeStatus; from: number; disk: string }>();
  const openBand = new Map<string, FaultBand>();

  const close = (n: number, to: number): void => {
    const span = openSpan.get(n);
    if (span !== undefined && to > span.from) spans.push({ n, to, ...span });
    openSpan.delete(n);
  };
  const open = (n: number, status: NodeStatus, from: number, disk = ""): void => {
    close(n, from);
    openSpan.set(n, { status, from, disk });
  };

  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i] as number;
    if (kind < Kind.fault || kind > Kind.join) continue;
    const t = trace.t[i] as number;
    const n = trace.node[i] as number;
    switch (kind) {
      case Kind.fault: {
        const band = readFault(trace, i);
        openBand.set(band.id, { ...band, to: end });
        break;
      }
      case Kind.lift: {
        const id = faultId(sideObject(trace, trace.ref[i] as number)["id"]);
        const band = openBand.get(id);
        if (band !== undefined) bands.push({ ...band, to: t });
        openBand.delete(id);
        break;
      }
      case Kind.crash:
        open(n, "crashed", t, diskNames[trace.label[i] as number]);
        break;
      case Kind.pause:
        open(n, "paused", t);
        break;
      case Kind.leave:
        open(n, "left", t);
        break;
      case Kind.join:
        spans.push({ n, status: "absent", from: 0, to: t, disk: "" });
        break;
      default:
        close(n, t);
    }
  }
  for (const n of openSpan.keys()) close(n, end);
  bands.push(...openBand.values());
  bands.sort((a, b) => a.from - b.from || a.event - b.event);
  spans.sort((a, b) => a.n - b.n || a.from - b.from);
  return { spans, bands };
}

/** The node's status at `t`; "up" when nothing is wrong with it. */
export function statusAt(timeline: Timeline, n: number, t: number): NodeStatus | "up" {
  for (const span of timeline.spans)
    if (span.n === n && span.from <= t && t < span.to) return span.status;
  return "up";
}

/** Status of every node at `t`, by number. */
export function statusesAt(timeline: Timeline, nodes: number, t: number): (NodeStatus | "up")[] {
  const statuses: (NodeStatus | "up")[] = Array.from({ length: nodes }, () => "up");
  for (const span of timeline.spans)
    if (span.from <= t && t < span.to && span.n < nodes) statuses[span.n] = span.status;
  return statuses;
}

export function bandsAt(timeline: Timeline, t: number): FaultBand[] {
  return timeline.bands.filter((band) => band.from <= t && t < band.to);
}

function readFault(trace: Trace, event: number): FaultBand {
  const object = sideObject(trace, trace.ref[event] as number);
  const fault = isObject(object["fault"]) ? object["fault"] : {};
  const kind = typeof fault["kind"] === "string" ? fault["kind"] : "fault";
  const groups = readGroups(fault["groups"]);
  const nodes = ["node", "from", "to"]
    .map((key) => fault[key])
    .filter((n) => typeof n === "number");
  const from = trace.t[event] as number;
  const oneway = fault["oneway"] === true;
  const band = { id: faultId(object["id"]), kind, from, to: from, event, groups, oneway, nodes };
  return { ...band, text: faultText(trace, band, fault) };
}

function faultId(id: unknown): string {
  return typeof id === "string" || typeof id === "number" ? String(id) : "";
}

function readGroups(groups: unknown): number[][] {
  if (!Array.isArray(groups)) return [];
  return groups
    .filter((group) => Array.isArray(group))
    .map((group) => group.filter((n) => typeof n === "number") as number[]);
}

/** A fault in a few words: "partition: n0 n1 | n2 n3 n4". */
function faultText(
  trace: Trace,
  { kind, groups, oneway, nodes }: Pick<FaultBand, "kind" | "groups" | "oneway" | "nodes">,
  fault: Readonly<Record<string, unknown>>,
): string {
  const names = (list: readonly number[]): string => {
    const shown = list.slice(0, 8).map((n) => nodeName(trace, n));
    return shown.join(" ") + (list.length > shown.length ? ` +${list.length - shown.length}` : "");
  };
  if (groups.length > 0)
    return `${kind}: ${groups.map((group) => names(group)).join(oneway ? " → " : " | ")}`;
  if (kind === "link") {
    const what = ["cut", "loss", "latencyMs"]
      .filter(
        (key) =>
          fault[key] !== undefined &&
          fault[key] !== false &&
          fault[key] !== null &&
          fault[key] !== 0,
      )
      .map((key) => (key === "cut" ? "cut" : `${key} ${JSON.stringify(fault[key])}`));
    return `link ${nodes.map((n) => nodeName(trace, n)).join(" → ")}: ${what.join(", ")}`;
  }
  const details = ["disk", "jumpMs", "factor"]
    .filter((key) => fault[key] !== undefined)
    .map((key) => `${key} ${String(fault[key])}`);
  return [kind, names(nodes), ...details].filter((part) => part !== "").join(" ");
}

/** One line about a kind for tooltips and lists. */
export function kindText(kind: number): string {
  return kindNames[kind] ?? "event";
}
