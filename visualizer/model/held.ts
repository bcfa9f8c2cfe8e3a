/**
 * Which node held which version when. A version is held from its commit or apply on; a crash that
 * loses the disk ends that life of the node's data, and a torn disk falls back to an earlier state.
 */
import { Kind } from "./kinds.ts";
import { isObject } from "./line-fields.ts";
import { pairFirst, sideObject, type Trace } from "./trace.ts";

/** A node's data from one loss of it to the next. */
export interface HeldLife {
  /** Events [from, to) fall into this life. */
  readonly from: number;
  readonly to: number;
  /** By version id: the event from which it is held, −1 never in this life. */
  readonly since: Int32Array<ArrayBuffer>;
}

export interface HeldIndex {
  /** By node number, in order of time; empty where the node holds nothing ever. */
  readonly lives: readonly (readonly HeldLife[])[];
  /** False: nodes × versions are too many to index; views of data are off. */
  readonly complete: boolean;
}

/** At most this many (node, version) pairs are indexed: 4 bytes each. */
const maxPairs = 100_000_000;

interface OpenLife {
  from: number;
  since: Int32Array<ArrayBuffer>;
  /** Versions in the order in which they were taken, to fall back from. */
  order: number[];
  /** State hash id → how many versions were held then. */
  heldAtHash: Map<number, number>;
  torn: boolean;
}

export function buildHeld(trace: Trace): HeldIndex {
  const nodes = trace.nodes.length;
  const versions = trace.versions.count;
  if (nodes * versions > maxPairs) return { lives: trace.nodes.map(() => []), complete: false };
  const builder = new HeldBuilder(trace);
  if (versions > 0) for (let i = 0; i < trace.count; i++) builder.event(i);
  return { lives: builder.finish(), complete: true };
}

class HeldBuilder {
  readonly #trace: Trace;
  readonly #open: (OpenLife | undefined)[] = [];
  readonly #lives: HeldLife[][];

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#lives = trace.nodes.map(() => []);
  }

  event(i: number): void {
    const trace = this.#trace;
    const kind = trace.kind[i] as number;
    const n = trace.node[i] as number;
    switch (kind) {
      case Kind.commit:
      case Kind.apply:
        this.#take(n, trace.ref[i] as number, i);
        break;
      case Kind.state:
        this.#state(n, i);
        break;
      case Kind.crash:
        this.#crash(n, i, trace.label[i] as number);
        break;
      case Kind.snapshot:
        this.#snapshot(n, i);
        break;
      default:
    }
  }

  finish(): HeldLife[][] {
    for (const [n, life] of this.#open.entries())
      if (life !== undefined) this.#close(n, life, this.#trace.count);
    return this.#lives;
  }

  #life(n: number, from: number): OpenLife {
    return (this.#open[n] ??= {
      from,
      since: new Int32Array(this.#trace.versions.count).fill(-1),
      order: [],
      heldAtHash: new Map(),
      torn: false,
    });
  }

  #close(n: number, life: OpenLife, to: number): void {
    this.#lives[n]?.push({ from: life.from, to, since: life.since });
    this.#open[n] = undefined;
  }

  #take(n: number, version: number, event: number): void {
    const life = this.#life(n, 0);
    if (life.since[version] !== -1) return;
    life.since[version] = event;
    life.order.push(version);
  }

  #state(n: number, event: number): void {
    const life = this.#life(n, 0);
    const hash = this.#trace.value[event] as number;
    if (life.torn) {
      life.torn = false;
      const held = pairFirst(this.#trace.aux[event] as number);
      const back = life.heldAtHash.get(hash) ?? Math.min(held, life.order.length);
      for (const version of life.order.splice(back)) life.since[version] = -1;
    }
    if (!life.heldAtHash.has(hash)) life.heldAtHash.set(hash, life.order.length);
  }

  /** `disk` indexes `diskNames`: 0 kept, 1 torn, 2 lost. */
  #crash(n: number, event: number, disk: number): void {
    const life = this.#open[n];
    if (life === undefined || disk === 0) return;
    this.#close(n, life, event);
    const next = this.#life(n, event);
    if (disk === 2) return;
    next.since.set(life.since);
    next.order = [...life.order];
    next.heldAtHash = new Map(life.heldAtHash);
    next.torn = true;
  }

  #snapshot(n: number, event: number): void {
    const { heads } = sideObject(this.#trace, this.#trace.ref[event] as number);
    if (!isObject(heads)) return;
    const { actors, versions } = this.#trace;
    for (let v = 0; v < versions.count; v++) {
      const head = heads[actors[versions.actor[v] as number]?.id ?? ""];
      const committed = versions.commit[v] as number;
      if (typeof head === "number" && (versions.number[v] as number) <= head && committed < event)
        this.#take(n, v, event);
    }
  }
}

/** By version id, the event from which node `n` holds it, as of `event`; null if it holds nothing. */
export function heldSince(held: HeldIndex, n: number, event: number): Int32Array | null {
  for (const life of held.lives[n] ?? [])
    if (life.from <= event && event < life.to) return life.since;
  return null;
}

export function holds(since: Int32Array | null, version: number, event: number): boolean {
  if (since === null) return false;
  const from = since[version] as number;
  return from >= 0 && from <= event;
}

/** By version: held by some node at the end of the trace. What is not, was lost for good. */
export function survivors(trace: Trace, held: HeldIndex): Uint8Array<ArrayBuffer> {
  const alive = new Uint8Array(trace.versions.count);
  for (const lives of held.lives) {
    const since = lives.at(-1)?.since;
    if (since === undefined) continue;
    for (let v = 0; v < alive.length; v++) if ((since[v] as number) >= 0) alive[v] = 1;
  }
  return alive;
}
