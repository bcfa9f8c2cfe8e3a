/**
 * A trace as JSON for ui.perfetto.dev ("Trace Event Format"): a process a node, a track a plane,
 * messages as flows, faults and outages as slices.
 */
import { Kind, kindName, planeNames } from "./kinds.ts";
import { firstAt, isMessage, type Trace } from "./trace.ts";
import type { TraceIndex } from "./trace-index.ts";

const trackOf = { life: planeNames.length + 1, data: planeNames.length + 2 };
/** Pieces of about this many events, so that no string grows out of bounds. */
const eventsPerPiece = 5000;

/** Pieces of one JSON text, in order; the events of [from, to] microseconds. */
export function perfettoPieces(
  trace: Trace,
  index: TraceIndex,
  from: number,
  to: number,
): string[] {
  const pieces: string[] = [];
  let lines: string[] = [];
  const add = (event: Readonly<Record<string, unknown>>): void => {
    lines.push(JSON.stringify(event));
    if (lines.length < eventsPerPiece) return;
    pieces.push(`${lines.join(",\n")},\n`);
    lines = [];
  };
  const faultProcess = trace.nodes.length;
  for (const event of names(trace, faultProcess)) add(event);
  for (const [i, band] of index.timeline.bands.entries()) {
    const shared = { cat: "fault", name: band.text, pid: faultProcess, tid: 0, id: i + 1 };
    add({ ...shared, ph: "b", ts: band.from });
    add({ ...shared, ph: "e", ts: band.to });
  }
  for (const span of index.timeline.spans)
    add({
      ph: "X",
      cat: "life",
      name: span.status,
      pid: span.n,
      tid: trackOf.life,
      ts: span.from,
      dur: span.to - span.from,
    });
  const last = firstAt(trace, to + 1);
  for (let i = firstAt(trace, from); i < last; i++)
    for (const event of convert(trace, i)) add(event);
  const head = '{"displayTimeUnit":"ms","traceEvents":[\n';
  const rest = lines.join(",\n");
  const body = [...pieces, rest];
  // A last piece without events would leave a comma behind.
  if (rest === "" && pieces.length > 0)
    body[pieces.length - 1] = (pieces.at(-1) ?? "").slice(0, -2);
  return [head, ...body, "\n]}\n"];
}

function names(trace: Trace, faultProcess: number): Record<string, unknown>[] {
  const events: Record<string, unknown>[] = [
    { ph: "M", name: "process_name", pid: faultProcess, args: { name: "faults" } },
  ];
  for (const node of trace.nodes) {
    if (!node.known) continue;
    events.push({ ph: "M", name: "process_name", pid: node.n, args: { name: node.name } });
    events.push({ ph: "M", name: "process_sort_index", pid: node.n, args: { sort_index: node.n } });
    const tracks = [
      ...planeNames.entries(),
      [trackOf.life, "life"],
      [trackOf.data, "data"],
    ] as const;
    for (const [tid, name] of tracks)
      events.push({ ph: "M", name: "thread_name", pid: node.n, tid, args: { name } });
  }
  return events;
}

function convert(trace: Trace, i: number): Record<string, unknown>[] {
  const kind = trace.kind[i] as number;
  const pid = trace.node[i] as number;
  const ts = trace.t[i] as number;
  if (isMessage(kind)) return message(trace, i, kind, pid, ts);
  if (pid < 0 || kind === Kind.state || kind === Kind.member) return [];
  const data = kind === Kind.commit || kind === Kind.apply || kind === Kind.buffer;
  const name = data ? `${kindName(kind)} ${trace.value[i]}` : kindName(kind);
  return [
    { ph: "i", s: "t", cat: "event", name, pid, tid: data ? trackOf.data : trackOf.life, ts },
  ];
}

function message(
  trace: Trace,
  i: number,
  kind: number,
  pid: number,
  ts: number,
): Record<string, unknown>[] {
  const label = trace.labels[trace.label[i] as number] ?? { plane: -1, msg: "message" };
  const cat = planeNames[label.plane] ?? "other";
  const tid = label.plane < 0 ? planeNames.length : label.plane;
  const id = trace.aux[i] as number;
  const slice = { cat, pid, tid, ts };
  if (kind === Kind.drop)
    return [{ ...slice, ph: "i", s: "t", name: `${label.msg} dropped`, args: { m: id } }];
  const name = kind === Kind.send ? label.msg : `${label.msg} received`;
  const args = { m: id, peer: trace.peer[i], bytes: trace.value[i] };
  const flow = { ...slice, name: label.msg, id };
  return [
    { ...slice, ph: "X", dur: 1, name, args },
    kind === Kind.send ? { ...flow, ph: "s" } : { ...flow, ph: "f", bp: "e" },
  ];
}
