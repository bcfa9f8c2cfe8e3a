/** An event in words: a title, and its fields as pairs for the inspector. */
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatStamp,
  formatTime,
  formatValue,
} from "./format.ts";
import { Kind, diskNames, dropReasons, kindName, stateNames, viaNames } from "./kinds.ts";
import { nodeName, pairFirst, pairSecond, planeOf, sideObject, type Trace } from "./trace.ts";

export interface Field {
  readonly name: string;
  readonly value: string;
  /** Shown in a fixed-width face. */
  readonly mono?: boolean;
}

/** "n1 → n3: push (gossip)", "n2 commits n2:17", "n0: n4 is suspect". */
export function titleOf(trace: Trace, i: number): string {
  const kind = trace.kind[i] as number;
  const name = nodeName(trace, trace.node[i] as number);
  const peer = nodeName(trace, trace.peer[i] as number);
  const msg = trace.labels[trace.label[i] as number]?.msg ?? "message";
  switch (kind) {
    case Kind.send:
      return `${name} sends ${msg} to ${peer}`;
    case Kind.recv:
      return `${name} receives ${msg} from ${peer}`;
    case Kind.drop:
      return `${msg} from ${name} to ${peer} is lost`;
    case Kind.member:
      return `${name} holds ${peer} to be ${stateNames[trace.label[i] as number]}`;
    case Kind.commit:
      return `${name} commits ${versionName(trace, i)}`;
    case Kind.apply:
      return `${name} applies ${versionName(trace, i)}`;
    case Kind.buffer:
      return `${name} buffers ${versionName(trace, i)}`;
    case Kind.need:
      return `${name} misses ${versionName(trace, i)}${rangeEnd(trace, i)}`;
    case Kind.state:
      return `${name} reports its state`;
    case Kind.snapshot:
      return `${name} takes a snapshot from ${peer}`;
    case Kind.fault:
      return `fault: ${faultKind(trace, i)}`;
    case Kind.lift:
      return `lifted: ${faultKind(trace, i)}`;
    case Kind.violation:
      return "violation";
    case Kind.end:
      return "end of the run";
    default:
      return `${name}: ${kindName(kind)}`;
  }
}

/** "n2:17": author and number of the version that an event is about. */
export function versionName(trace: Trace, i: number): string {
  const actor = trace.actors[trace.peer[i] as number];
  const author =
    actor === undefined || actor.node < 0
      ? (actor?.id.slice(0, 6) ?? "?")
      : nodeName(trace, actor.node);
  return `${author}:${trace.value[i]}`;
}

function rangeEnd(trace: Trace, i: number): string {
  const to = trace.aux[i] as number;
  return to > (trace.value[i] as number) ? `–${to}` : "";
}

function faultKind(trace: Trace, i: number): string {
  const fault = sideObject(trace, trace.ref[i] as number)["fault"] as Readonly<
    Record<string, unknown>
  >;
  const kind = fault?.["kind"];
  return typeof kind === "string" ? kind : "fault";
}

export function fieldsOf(trace: Trace, i: number): Field[] {
  const kind = trace.kind[i] as number;
  const fields: Field[] = [
    { name: "time", value: formatTime(trace.t[i] as number, 1), mono: true },
  ];
  switch (kind) {
    case Kind.send:
    case Kind.recv:
    case Kind.drop:
      return [...fields, ...messageFields(trace, i, kind)];
    case Kind.member:
      return [
        ...fields,
        { name: "about", value: nodeName(trace, trace.peer[i] as number) },
        { name: "state", value: stateNames[trace.label[i] as number] ?? "unknown" },
        { name: "incarnation", value: formatCount(trace.value[i] as number) },
        { name: "identity epoch", value: String(trace.aux[i]), mono: true },
      ];
    case Kind.commit:
      return [...fields, ...commitFields(trace, i)];
    case Kind.apply:
      return [
        ...fields,
        ...versionFields(trace, i),
        { name: "via", value: viaNames[trace.label[i] as number] ?? "gossip" },
        { name: "cells won", value: formatCount(pairFirst(trace.aux[i] as number)) },
        { name: "cells lost", value: formatCount(pairSecond(trace.aux[i] as number)) },
      ];
    case Kind.buffer:
      return [
        ...fields,
        ...versionFields(trace, i),
        {
          name: "parts",
          value: `${pairFirst(trace.aux[i] as number)} of ${pairSecond(trace.aux[i] as number)}`,
        },
      ];
    case Kind.need:
      return [...fields, ...versionFields(trace, i), { name: "to", value: String(trace.aux[i]) }];
    case Kind.state:
      return [...fields, ...stateFields(trace, i)];
    default:
      return [...fields, ...sideFields(trace, i)];
  }
}

function messageFields(trace: Trace, i: number, kind: number): Field[] {
  const fields: Field[] = [
    { name: "plane", value: planeOf(trace, i) ?? "unknown" },
    { name: "bytes", value: formatBytes(trace.value[i] as number) },
    { name: "message id", value: String(trace.aux[i]), mono: true },
  ];
  if (kind === Kind.drop)
    fields[1] = { name: "why", value: dropReasons[trace.value[i] as number] ?? "unknown" };
  const other = trace.ref[i] as number;
  if (other < 0) return fields;
  const between = Math.abs((trace.t[i] as number) - (trace.t[other] as number));
  return [...fields, { name: "on its way for", value: formatDuration(between) }];
}

function versionFields(trace: Trace, i: number): Field[] {
  const actor = trace.actors[trace.peer[i] as number]?.id ?? "";
  return [
    { name: "version", value: versionName(trace, i) },
    { name: "actor", value: actor, mono: true },
  ];
}

function commitFields(trace: Trace, i: number): Field[] {
  const version = trace.ref[i] as number;
  const { ms, counter, side } = trace.versions;
  const changes = (sideObject(trace, side[version] as number)["changes"] ?? []) as unknown[];
  const fields: Field[] = [
    ...versionFields(trace, i),
    {
      name: "stamp",
      value: formatStamp(ms[version] as number, counter[version] as number),
      mono: true,
    },
  ];
  for (const change of changes.slice(0, 12)) fields.push(changeField(change));
  if (changes.length > 12)
    fields.push({ name: "", value: `and ${formatCount(changes.length - 12)} more rows` });
  return fields;
}

function changeField(change: unknown): Field {
  const [table, key, length, cells] = change as [string, unknown[], number, [string, unknown][]];
  const name = `${table}[${key.map(formatValue).join(", ")}]`;
  if (length % 2 === 0) return { name, value: `deleted (causal length ${length})`, mono: true };
  const written = cells.map(([column, value]) => `${column} = ${formatValue(value)}`).join("\n");
  return {
    name,
    value: written === "" ? `inserted (causal length ${length})` : written,
    mono: true,
  };
}

function stateFields(trace: Trace, i: number): Field[] {
  return [
    { name: "state hash", value: trace.hashes[trace.value[i] as number] ?? "", mono: true },
    { name: "rows", value: formatCount(trace.peer[i] as number) },
    { name: "versions held", value: formatCount(pairFirst(trace.aux[i] as number)) },
    { name: "gaps", value: formatCount(pairSecond(trace.aux[i] as number)) },
  ];
}

function sideFields(trace: Trace, i: number): Field[] {
  const object = sideObject(trace, trace.ref[i] as number);
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(object)) {
    if (name === "t" || name === "k") continue;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    fields.push({
      name: name === "n" ? "node" : name,
      value: text,
      mono: typeof value === "object",
    });
  }
  const kind = trace.kind[i];
  if (kind === Kind.crash)
    return fields
      .filter(({ name }) => name !== "disk")
      .concat({
        name: "disk",
        value: diskNames[trace.label[i] as number] ?? "kept",
      });
  return fields;
}
