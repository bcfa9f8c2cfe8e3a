/**
 * A reader of traces written from the description of the format alone: it shares no code with the
 * program, so that a mistake in one is not forgiven by the other.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export interface TraceLine {
  readonly t: number;
  readonly k: string;
  readonly n?: number;
  readonly [field: string]: unknown;
}

export interface Trace {
  readonly header: {
    readonly trace: number;
    readonly source: string;
    readonly seed: string;
    readonly scenario: string;
    readonly options: unknown;
    readonly nodes: readonly {
      readonly n: number;
      readonly name: string;
      readonly actor: string;
    }[];
    readonly schema: readonly string[];
  };
  readonly lines: readonly TraceLine[];
}

export function readTrace(path: string): Trace {
  const file = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(file) : file).toString("utf8");
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const [first, ...rest] = text.slice(0, -1).split("\n");
  return {
    header: JSON.parse(first ?? "") as Trace["header"],
    lines: rest.map((line) => JSON.parse(line) as TraceLine),
  };
}

type Cut = (from: number, to: number) => boolean;

function cutOf(fault: Record<string, unknown>): Cut | undefined {
  if (fault["kind"] === "link" && fault["cut"] === true) {
    return (from, to) => from === fault["from"] && to === fault["to"];
  }
  if (fault["kind"] !== "partition") return undefined;
  const side = new Map<number, number>();
  const groups = fault["groups"] as number[][];
  for (const [i, group] of groups.entries()) for (const node of group) side.set(node, i);
  const oneway = fault["oneway"] === true;
  return (from, to) => {
    const a = side.get(from);
    const b = side.get(to);
    if (a === undefined || b === undefined || a === b) return false;
    return !oneway || a === 0;
  };
}

interface InFlight {
  readonly from: number;
  readonly to: number;
  readonly sentAt: number;
  readonly crossed: readonly number[];
  endings: number;
}

/**
 * What a reader may rely on, checked line by line; one sentence for each thing that is wrong, at
 * most `limit`.
 */
export function checkTrace(trace: Trace, limit = 20): string[] {
  const wrong: string[] = [];
  const say = (at: TraceLine, sentence: string): void => {
    if (wrong.length < limit) wrong.push(`t=${at.t} ${at.k}: ${sentence}`);
  };
  const messages = new Map<number, InFlight>();
  const cuts = new Map<unknown, Cut>();
  const halted = new Set<number>();
  const left = new Set<number>();
  const known = new Set(trace.header.nodes.map((node) => node.n));
  const lastState = new Map<number, TraceLine>();
  const committed = new Set<string>();
  let now = 0;

  const cutsBetween = (from: number, to: number): number[] =>
    [...cuts].filter(([, cut]) => cut(from, to)).map(([id]) => id as number);

  for (const [index, line] of trace.lines.entries()) {
    if (!Number.isInteger(line.t) || line.t < now) say(line, `time goes back from ${now}`);
    now = Math.max(now, line.t);
    if (line.n !== undefined && line.k !== "join" && !known.has(line.n))
      say(line, `unknown node ${line.n}`);
    switch (line.k) {
      case "send": {
        const from = line.n as number;
        const to = line["to"] as number;
        if (messages.has(line["m"] as number))
          say(line, `message ${String(line["m"])} was sent before`);
        if (halted.has(from)) say(line, `node ${from} is crashed or paused`);
        const crossed = cutsBetween(from, to);
        messages.set(line["m"] as number, { from, to, sentAt: line.t, crossed, endings: 0 });
        break;
      }
      case "recv":
      case "drop": {
        const message = messages.get(line["m"] as number);
        if (message === undefined) {
          say(line, `message ${String(line["m"])} was never sent`);
          break;
        }
        message.endings++;
        if (line.k === "drop") {
          if (line.n !== message.from || line["to"] !== message.to)
            say(line, "other ends than its send");
          break;
        }
        if (line.n !== message.to || line["from"] !== message.from)
          say(line, "other ends than its send");
        if (halted.has(message.to)) say(line, `node ${message.to} is crashed or paused`);
        const crosses = [...message.crossed, ...cutsBetween(message.from, message.to)];
        if (crosses.length > 0) say(line, `crosses partition ${crosses.join(", ")} in force`);
        break;
      }
      case "fault": {
        const cut = cutOf(line["fault"] as Record<string, unknown>);
        if (cut !== undefined) cuts.set(line["id"], cut);
        break;
      }
      case "lift":
        cuts.delete(line["id"]);
        break;
      case "crash":
      case "pause":
        halted.add(line.n as number);
        break;
      case "restart":
      case "resume":
        halted.delete(line.n as number);
        left.delete(line.n as number);
        break;
      // It goes on for a while, to tell the others; then it is no longer one of those that agree.
      case "leave":
        left.add(line.n as number);
        break;
      case "join":
        known.add(line.n as number);
        break;
      case "commit": {
        const id = `${String(line["actor"])}:${String(line["version"])}`;
        if (committed.has(id)) say(line, `version ${id} was committed before`);
        committed.add(id);
        break;
      }
      case "apply": {
        const id = `${String(line["actor"])}:${String(line["version"])}`;
        if (!committed.has(id)) say(line, `version ${id} was never committed`);
        break;
      }
      case "state":
        lastState.set(line.n as number, line);
        break;
      case "end":
        if (index !== trace.lines.length - 1) say(line, "something follows the end");
        break;
      default:
        break;
    }
  }
  const end = trace.lines.at(-1);
  if (end === undefined || end.k !== "end") return [...wrong, "no end line"];
  for (const node of known)
    if (!lastState.has(node) && !halted.has(node) && !left.has(node))
      say(end, `node ${node} has no state`);
  if (end["converged"] === true) {
    for (const [node, state] of lastState) {
      if (!halted.has(node) && !left.has(node) && state["hash"] !== end["hash"])
        say(end, `node ${node} ends with another hash`);
    }
  }
  for (const [m, message] of messages) {
    // Nothing stays on its way for longer than a retransmission may take.
    if (message.endings === 0 && end.t - message.sentAt > 30_000_000)
      say(end, `message ${m} vanished`);
  }
  return wrong;
}
