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
  /** Cuts in force when it was sent. */
  readonly crossed: readonly unknown[];
  endings: number;
}

/** Nothing stays on its way for longer than retransmissions may take. */
const longestFlightUs = 30_000_000;
/** Between two `state` lines of a node. */
const stateEveryUs = 100_000;
const mostComplaints = 20;

/** What a reader may rely on, checked line by line; one sentence for each thing that is wrong. */
export function checkTrace(trace: Trace): string[] {
  const checker = new Checker(trace);
  trace.lines.forEach((line, index) => checker.line(line, index));
  checker.end();
  return checker.wrong;
}

class Checker {
  readonly wrong: string[] = [];
  readonly #trace: Trace;
  readonly #messages = new Map<unknown, InFlight>();
  readonly #cuts = new Map<unknown, Cut>();
  readonly #halted = new Set<number>();
  readonly #left = new Set<number>();
  readonly #known: Set<number>;
  readonly #states = new Map<number, TraceLine>();
  readonly #committed = new Set<string>();
  #now = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#known = new Set(trace.header.nodes.map((node) => node.n));
  }

  line(line: TraceLine, index: number): void {
    if (!Number.isInteger(line.t) || line.t < this.#now)
      this.#say(line, `time goes back from ${this.#now}`);
    this.#now = Math.max(this.#now, line.t);
    const n = line.n ?? -1;
    if (n >= 0 && line.k !== "join" && !this.#known.has(n)) this.#say(line, `unknown node ${n}`);
    switch (line.k) {
      case "send":
        this.#send(line, n, line["to"] as number);
        break;
      case "recv":
      case "drop":
        this.#arrival(line, n);
        break;
      case "commit":
      case "apply":
        this.#version(line);
        break;
      case "state":
        this.#state(line, n);
        break;
      case "fault":
      case "lift":
        this.#fault(line);
        break;
      case "end":
        if (index !== this.#trace.lines.length - 1) this.#say(line, "something follows the end");
        break;
      default:
        this.#life(line.k, n);
    }
  }

  end(): void {
    const end = this.#trace.lines.at(-1);
    if (end === undefined || end.k !== "end") {
      this.wrong.push("no end line");
      return;
    }
    for (const node of this.#known) {
      if (this.#halted.has(node) || this.#left.has(node)) continue;
      const state = this.#states.get(node);
      if (state === undefined) this.#say(end, `node ${node} has no state`);
      else if (end["converged"] === true && state["hash"] !== end["hash"]) {
        this.#say(end, `node ${node} ends with another hash`);
      }
    }
    for (const [m, message] of this.#messages) {
      if (message.endings > 0 || end.t - message.sentAt <= longestFlightUs) continue;
      this.#say(end, `message ${String(m)} vanished`);
    }
  }

  #say(at: TraceLine, sentence: string): void {
    if (this.wrong.length < mostComplaints) this.wrong.push(`t=${at.t} ${at.k}: ${sentence}`);
  }

  #cutsBetween(from: number, to: number): unknown[] {
    return [...this.#cuts].filter(([, cut]) => cut(from, to)).map(([id]) => id);
  }

  #send(line: TraceLine, from: number, to: number): void {
    const m = line["m"];
    if (this.#messages.has(m)) this.#say(line, `message ${String(m)} was sent before`);
    if (this.#halted.has(from)) this.#say(line, `node ${from} is crashed or paused`);
    const crossed = this.#cutsBetween(from, to);
    this.#messages.set(m, { from, to, sentAt: line.t, crossed, endings: 0 });
  }

  #arrival(line: TraceLine, n: number): void {
    const message = this.#messages.get(line["m"]);
    if (message === undefined) {
      this.#say(line, `message ${String(line["m"])} was never sent`);
      return;
    }
    message.endings++;
    const { from, to } = message;
    const same =
      line.k === "drop" ? n === from && line["to"] === to : n === to && line["from"] === from;
    if (!same) this.#say(line, "other ends than its send");
    if (line.k === "drop") return;
    if (this.#halted.has(to)) this.#say(line, `node ${to} is crashed or paused`);
    const crosses = [...message.crossed, ...this.#cutsBetween(from, to)];
    if (crosses.length > 0) this.#say(line, `crosses partition ${crosses.join(", ")} in force`);
  }

  #version(line: TraceLine): void {
    const id = `${String(line["actor"])}:${String(line["version"])}`;
    const known = this.#committed.has(id);
    if (line.k === "commit" && known) this.#say(line, `version ${id} was committed before`);
    if (line.k === "apply" && !known) this.#say(line, `version ${id} was never committed`);
    this.#committed.add(id);
  }

  #state(line: TraceLine, n: number): void {
    const before = this.#states.get(n);
    const atEnd = line.t === this.#trace.lines.at(-1)?.t;
    if (before !== undefined && !atEnd && line.t - before.t < stateEveryUs) {
      this.#say(line, `node ${n} tells its state sooner than 100 ms after the last time`);
    }
    this.#states.set(n, line);
  }

  #fault(line: TraceLine): void {
    if (line.k === "lift") {
      this.#cuts.delete(line["id"]);
      return;
    }
    const cut = cutOf(line["fault"] as Record<string, unknown>);
    if (cut !== undefined) this.#cuts.set(line["id"], cut);
  }

  #life(kind: string, n: number): void {
    switch (kind) {
      case "crash":
      case "pause":
        this.#halted.add(n);
        break;
      case "restart":
        this.#halted.delete(n);
        this.#left.delete(n);
        break;
      case "resume":
        this.#halted.delete(n);
        break;
      case "leave":
        this.#left.add(n);
        break;
      case "join":
        this.#known.add(n);
        break;
      default:
        // A kind that this reader does not know.
        break;
    }
  }
}
