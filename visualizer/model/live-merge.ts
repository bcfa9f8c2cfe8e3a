/**
 * Live traces as one trace: of one node over as many connections as it takes, and of several nodes
 * at once. Each connection numbers nodes and messages and counts time for itself; here nodes are told
 * apart by actor and name, and time runs from the first connection, by the page's clock. A node's
 * line is as late as the network from it to this page, so lines of several nodes are put in order
 * within `patienceUs`.
 *
 * Of a message between two nodes that both tell, the receiver's side is kept: it knows for certain
 * that the message arrived. What was sent to such a node and never arrived is not shown.
 */
import { isObject, type JsonObject } from "./line-fields.ts";

/** How long a line waits for earlier ones of other nodes. */
const patienceUs = 250_000;
/** Message numbers of different connections are kept apart by this factor. */
const connectionsApart = 64;

/** A line that is none of a live trace; `why` in words. */
export class LiveError extends Error {}

interface Connection {
  readonly source: number;
  readonly id: number;
  /** Added to its times. */
  offset: number;
  /** Its node numbers → those of the merged trace. */
  readonly numbers: Map<number, number>;
  /** The node that tells, in the merged trace; −1 before the header. */
  self: number;
}

interface Waiting {
  /** −1: the header. */
  readonly t: number;
  readonly event: Readonly<Record<string, unknown>>;
}

export class LiveMerge {
  readonly #several: boolean;
  readonly #byActor = new Map<string, number>();
  readonly #byName = new Map<string, number>();
  readonly #open: (Connection | undefined)[] = [];
  #nodes = 0;
  #connections = 0;
  #beganUs = -1;
  #lastT = 0;
  #waiting: Waiting[] = [];

  constructor(sources: number) {
    this.#several = sources > 1;
  }

  /** Source `source` has connected; whatever it told before is over. */
  connect(source: number): void {
    const id = this.#connections++;
    this.#open[source] = { source, id, offset: 0, numbers: new Map(), self: -1 };
  }

  disconnect(source: number): void {
    this.#open[source] = undefined;
  }

  /**
   * Takes a whole line, without its newline. @throws LiveError
   * @param nowUs of the page's clock, which never goes back.
   */
  take(source: number, text: string, nowUs: number): void {
    const connection = this.#open[source];
    if (connection === undefined || text.trim() === "") return;
    const line = parse(text);
    if (connection.self < 0) this.#header(connection, line, nowUs);
    else this.#event(connection, line);
  }

  /** Lines, each with its newline, that nothing earlier can be expected before. */
  ready(nowUs: number): string {
    const until = this.#several ? nowUs - this.#beganUs - patienceUs : Infinity;
    if (this.#several) this.#waiting.sort((a, b) => a.t - b.t);
    let text = "";
    let taken = 0;
    for (const { t, event } of this.#waiting) {
      if (t > until) break;
      taken++;
      // What comes later than its patience is told when it came: time never runs backwards.
      this.#lastT = Math.max(this.#lastT, t);
      text += `${JSON.stringify(t < 0 ? event : { ...event, t: this.#lastT })}\n`;
    }
    this.#waiting.splice(0, taken);
    return text;
  }

  #header(connection: Connection, line: JsonObject, nowUs: number): void {
    const { trace, nodes, schema } = line;
    if (trace !== 1) throw new LiveError("the first line is not a trace header");
    const list = Array.isArray(nodes) ? nodes.filter(isObject) : [];
    const first = this.#beganUs < 0;
    if (first) this.#beganUs = nowUs;
    connection.offset = Math.round(nowUs - this.#beganUs);
    const known = this.#nodes;
    const described = list.map((node) => ({ ...node, n: this.#meet(connection, node) }));
    connection.self = connection.numbers.get(0) ?? 0;
    if (first) this.#write(-1, { trace: 1, source: "live", options: {}, nodes: described, schema });
    else
      for (const node of described)
        if (node.n >= known) this.#write(connection.offset, { k: "join", ...node });
  }

  /** The merged number of a node that a connection describes. */
  #meet(connection: Connection, { n, name, actor }: JsonObject): number {
    const byActor = typeof actor === "string" && actor !== "" ? actor : null;
    const byName = typeof name === "string" && name !== "" ? name : null;
    let number =
      (byActor === null ? undefined : this.#byActor.get(byActor)) ??
      (byName === null ? undefined : this.#byName.get(byName));
    number ??= this.#nodes++;
    if (byActor !== null) this.#byActor.set(byActor, number);
    if (byName !== null) this.#byName.set(byName, number);
    if (typeof n === "number") connection.numbers.set(n, number);
    return number;
  }

  #event(connection: Connection, line: JsonObject): void {
    const { k, t, m } = line;
    // A node's last word: that it stops, or that we read too slowly.
    if (typeof k !== "string" || k === "error") {
      const { error } = line;
      throw new LiveError(typeof error === "string" ? error : "a line that is no event");
    }
    const known = this.#nodes;
    const event: Record<string, unknown> = { ...line };
    if (k === "join") {
      event["n"] = this.#meet(connection, line);
      // Met in another connection already: no news.
      if (this.#nodes === known) return;
    } else for (const key of nodeFields(k)) event[key] = this.#number(connection, line[key]);
    if (k === "send" && this.#tells(connection, event["n"], event["to"])) return;
    if (typeof m === "number")
      event["m"] = m * connectionsApart + (connection.id % connectionsApart);
    this.#write(connection.offset + (typeof t === "number" ? t : 0), event);
  }

  /** True for a message from the node of this connection to one that tells of its arrival itself. */
  #tells({ self }: Connection, from: unknown, to: unknown): boolean {
    return from === self && this.#open.some((other) => other?.self === to && to !== self);
  }

  #number({ numbers }: Connection, n: unknown): unknown {
    return typeof n === "number" ? (numbers.get(n) ?? n) : n;
  }

  #write(t: number, event: Readonly<Record<string, unknown>>): void {
    this.#waiting.push({ t, event });
  }
}

function parse(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LiveError("a line that is not JSON");
  }
  if (!isObject(value)) throw new LiveError("a line that is no event");
  return value;
}

/** The fields that hold node numbers, by kind of event. */
function nodeFields(kind: string): readonly string[] {
  switch (kind) {
    case "send":
    case "drop":
      return ["n", "to"];
    case "recv":
    case "snapshot":
      return ["n", "from"];
    case "member":
      return ["n", "about"];
    default:
      return ["n"];
  }
}
