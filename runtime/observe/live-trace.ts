/**
 * The live trace of one node: what happens on it, as lines of the trace format, for whoever
 * listens. The host tells events by address; here nodes get their numbers (this node is 0), times
 * become microseconds since the listener came, and messages their numbers.
 *
 * A node sees the two ends of a message apart: what it sends has no arrival here, and what it
 * receives was sent elsewhere. Of each message received a `send` by the peer is written right before
 * its `recv`, so that a reader finds what it may rely on.
 */
import type { Address } from "../../core/base/ids.ts";
import type { MemberState, Plane } from "../../core/node/event.ts";
import {
  type TraceChange,
  traceFormat,
  traceLine,
  type TraceEvent,
  type TraceNode,
} from "../../core/trace/trace-event.ts";

/** What a node's host tells. Events about this node itself name no address. */
export type LiveEvent =
  | (LiveMessage & { readonly k: "send"; readonly to: Address })
  | (LiveMessage & { readonly k: "recv"; readonly from: Address })
  | {
      readonly k: "member";
      readonly about: Address;
      readonly state: MemberState;
      readonly inc: number;
      readonly epoch: number;
    }
  | {
      readonly k: "commit";
      readonly actor: string;
      readonly version: number;
      /** 16 hex digits. */
      readonly hlc: string;
      readonly changes: readonly TraceChange[];
    }
  | {
      readonly k: "apply";
      readonly actor: string;
      readonly version: number;
      readonly via: "gossip" | "sync" | "snapshot";
      readonly won: number;
      readonly lost: number;
    }
  | {
      readonly k: "buffer";
      readonly actor: string;
      readonly version: number;
      readonly have: number;
      readonly of: number;
    }
  | { readonly k: "need"; readonly actor: string; readonly from: number; readonly to: number }
  | LiveState
  | { readonly k: "leave" };

interface LiveMessage {
  readonly plane: Plane;
  /** Message kind, such as `ping`. */
  readonly msg: string;
  readonly bytes: number;
}

export interface LiveState {
  readonly k: "state";
  readonly hash: string;
  readonly heads: Readonly<Record<string, number>>;
  readonly gaps: number;
  readonly rows: number;
}

/** What is known of a node by its address. */
export interface LiveNode {
  readonly name: string;
  readonly region: string;
  readonly actor: string;
}

export interface LiveTraceOptions {
  /** This node. */
  self(): LiveNode & { readonly address: Address };
  /** Asked when a node is met for the first time; null: nothing is known but its address. */
  node(address: Address): LiveNode | null;
  /** `CREATE` statements of the replicated tables. */
  schema(): readonly string[];
  /** Members and state as they are now: what a new listener is told first. */
  present(): readonly LiveEvent[];
  /** Called with true when the first listener comes and with false when the last has gone: nothing need be told in between. */
  wanted(wanted: boolean): void;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** A node's state is written at most so often, as the format says. */
const stateEveryMs = 100;
const self = 0;

export class LiveTrace {
  readonly #options: LiveTraceOptions;
  readonly #listeners = new Set<Listener>();

  constructor(options: LiveTraceOptions) {
    this.#options = options;
  }

  /** False: what is recorded now reaches nobody. */
  get active(): boolean {
    return this.#listeners.size > 0;
  }

  record(event: LiveEvent): void {
    for (const listener of this.#listeners) listener.tell(event);
  }

  /**
   * @param line is called with whole lines, the header first; it must not throw.
   * @param planes messages of these planes alone are shown; null: all.
   * @returns how to stop.
   */
  subscribe(line: (line: string) => void, planes: ReadonlySet<string> | null): () => void {
    const listener = new Listener(this.#options, line, planes);
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#options.wanted(true);
    return () => {
      listener.stop();
      if (this.#listeners.delete(listener) && !this.active) this.#options.wanted(false);
    };
  }
}

class Listener {
  readonly #options: LiveTraceOptions;
  readonly #line: (line: string) => void;
  readonly #planes: ReadonlySet<string> | null;
  readonly #began: number;
  readonly #numbers = new Map<Address, number>();
  #messages = 0;
  #stateAt = Number.NEGATIVE_INFINITY;
  #waiting: LiveState | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    options: LiveTraceOptions,
    line: (line: string) => void,
    planes: ReadonlySet<string> | null,
  ) {
    this.#options = options;
    this.#line = line;
    this.#planes = planes;
    this.#began = options.now();
    const present = options.present();
    const { address, name, region, actor } = options.self();
    this.#numbers.set(address, self);
    const nodes: TraceNode[] = [{ n: self, name, region, actor }];
    for (const event of present) {
      if (event.k !== "member" || this.#numbers.has(event.about)) continue;
      this.#numbers.set(event.about, nodes.length);
      nodes.push({ n: nodes.length, ...this.#known(event.about) });
    }
    const schema = options.schema();
    line(traceLine({ trace: traceFormat, source: "live", options: {}, nodes, schema }));
    for (const event of present) this.tell(event);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  tell(event: LiveEvent): void {
    switch (event.k) {
      case "send":
      case "recv":
        this.#message(event);
        break;
      case "member": {
        const { about, state, inc, epoch } = event;
        this.#write({ t: 0, k: "member", n: self, about: this.#number(about), state, inc, epoch });
        break;
      }
      case "state":
        this.#state(event);
        break;
      default: {
        const { k, ...fields } = event;
        this.#write({ t: 0, k, n: self, ...fields } as TraceEvent);
      }
    }
  }

  #message(event: Extract<LiveEvent, { k: "send" | "recv" }>): void {
    const { plane, msg, bytes } = event;
    if (this.#planes !== null && !this.#planes.has(plane)) return;
    const peer = this.#number(event.k === "send" ? event.to : event.from);
    const m = ++this.#messages;
    if (event.k === "send") {
      this.#write({ t: 0, k: "send", n: self, m, to: peer, plane, msg, bytes });
      return;
    }
    this.#write({ t: 0, k: "send", n: peer, m, to: self, plane, msg, bytes });
    this.#write({ t: 0, k: "recv", n: self, m, from: peer, plane, msg });
  }

  #state(event: LiveState): void {
    const wait = this.#stateAt + stateEveryMs - this.#options.now();
    if (wait <= 0) {
      this.#writeState(event);
      return;
    }
    this.#waiting = event;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (this.#waiting !== null) this.#writeState(this.#waiting);
    }, wait);
  }

  #writeState({ hash, heads, gaps, rows }: LiveState): void {
    this.#waiting = null;
    this.#stateAt = this.#options.now();
    this.#write({ t: 0, k: "state", n: self, hash, heads, gaps, rows });
  }

  /** The number of a node; one that was never met joins. */
  #number(address: Address): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) return known;
    const n = this.#numbers.size;
    this.#numbers.set(address, n);
    this.#write({ t: 0, k: "join", n, ...this.#known(address) });
    return n;
  }

  #known(address: Address): LiveNode {
    return this.#options.node(address) ?? { name: address, region: "", actor: "" };
  }

  #write(event: TraceEvent): void {
    const t = Math.max(0, Math.round((this.#options.now() - this.#began) * 1000));
    this.#line(traceLine({ ...event, t }));
  }
}
