/**
 * A live trace in bounded memory: the last events, in blocks of lines. When there are too many the
 * oldest blocks go, and what is left is read anew, behind lines that tell what held when it begins:
 * what each node thought of each, and its state.
 */
import { TraceBuilder } from "./ingest.ts";
import { isObject, type JsonObject } from "./line-fields.ts";

const blocks = 8;

/** What a trace that has forgotten its oldest events begins with anew: an event's number and time go down by this. */
export interface Shift {
  readonly events: number;
  readonly us: number;
}

export const noShift: Shift = { events: 0, us: 0 };

interface Block {
  /** What held before it. */
  readonly present: readonly string[];
  readonly bytes: Uint8Array[];
  events: number;
  /** Of its first event. */
  t: number;
}

export class LiveWindow {
  readonly #maxEvents: number;
  readonly #encoder = new TextEncoder();
  readonly #present = new Present();
  #builder = new TraceBuilder();
  #header: JsonObject | null = null;
  #blocks: Block[] = [];
  #presentEvents = 0;
  #shift: Shift = noShift;
  #originUs = 0;

  /** @param maxEvents are kept at most. */
  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  get builder(): TraceBuilder {
    return this.#builder;
  }

  /** By how much numbers and times of the events have gone down since this was last asked. */
  takeShift(): Shift {
    const shift = this.#shift;
    this.#shift = noShift;
    return shift;
  }

  /** Takes whole lines, each with its newline; the first one ever is the header. */
  push(text: string): void {
    if (text === "") return;
    let events = text;
    if (this.#header === null) {
      const end = text.indexOf("\n") + 1;
      this.#header = JSON.parse(text.slice(0, end)) as JsonObject;
      this.#builder.push(this.#encoder.encode(text.slice(0, end)));
      events = text.slice(end);
    }
    const lines = events.split("\n").filter((line) => line !== "");
    const most = Math.ceil(this.#maxEvents / blocks);
    for (let at = 0; at < lines.length; at += most) this.#take(lines.slice(at, at + most));
  }

  #take(lines: readonly string[]): void {
    const block = this.#block(lines[0] as string);
    for (const line of lines) this.#present.take(line);
    const bytes = this.#encoder.encode(`${lines.join("\n")}\n`);
    const before = this.#builder.count;
    this.#builder.push(bytes);
    block.bytes.push(bytes);
    block.events += this.#builder.count - before;
    if (this.#builder.count > this.#maxEvents) this.#forget();
  }

  #block(line: string): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.events < this.#maxEvents / blocks) return last;
    const { t } = JSON.parse(line) as { t: number };
    const block = { present: this.#present.lines(), bytes: [], events: 0, t };
    this.#blocks.push(block);
    return block;
  }

  /** A quarter goes at once, so that reading anew is rare. */
  #forget(): void {
    const enough = (this.#maxEvents * 3) / 4;
    let kept = this.#blocks.reduce((sum, { events }) => sum + events, 0);
    let dropped = 0;
    while (this.#blocks.length > 1 && kept > enough) {
      const { events } = this.#blocks.shift() as Block;
      kept -= events;
      dropped += events;
    }
    const first = this.#blocks[0] as Block;
    const builder = new TraceBuilder(first.t);
    const header = { ...this.#header, nodes: this.#present.nodes(this.#header) };
    builder.push(this.#encoder.encode(`${JSON.stringify(header)}\n`));
    for (const line of first.present)
      builder.push(
        this.#encoder.encode(
          `${JSON.stringify({ ...(JSON.parse(line) as object), t: first.t })}\n`,
        ),
      );
    this.#shift = {
      events: this.#shift.events + dropped + this.#presentEvents - builder.count,
      us: this.#shift.us + first.t - this.#originUs,
    };
    this.#originUs = first.t;
    this.#presentEvents = builder.count;
    for (const { bytes } of this.#blocks) for (const piece of bytes) builder.push(piece);
    this.#builder = builder;
  }
}

/** The lines that say what holds now: of each its last one. */
class Present {
  readonly #last = new Map<string, string>();
  readonly #joined = new Map<number, JsonObject>();

  take(line: string): void {
    // Most lines are messages: those are not read.
    if (!/"k":"(?:member|state|join|crash|restart|pause|resume|leave)"/.test(line)) return;
    const event = JSON.parse(line) as JsonObject;
    const { k, n, about } = event;
    if (k === "member") this.#last.set(`member ${String(n)} ${String(about)}`, line);
    else if (k === "state") this.#last.set(`state ${String(n)}`, line);
    else if (k === "join") this.#joined.set(n as number, event);
    else if (k === "restart" || k === "resume") this.#last.delete(`life ${String(n)}`);
    else this.#last.set(`life ${String(n)}`, line);
  }

  lines(): string[] {
    return [...this.#last.values()];
  }

  /** Those of the header and those that joined. */
  nodes(header: JsonObject | null): unknown[] {
    const nodes = new Map<unknown, unknown>();
    const listed = header?.["nodes"];
    for (const node of Array.isArray(listed) ? listed : [])
      if (isObject(node)) nodes.set(node["n"], node);
    for (const [n, { name, region, actor }] of this.#joined)
      nodes.set(n, { n, name, region, actor });
    return [...nodes.values()];
  }
}
