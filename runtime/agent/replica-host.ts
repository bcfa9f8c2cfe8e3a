/**
 * The loop around a replica: what arrives, what is due and what the store has done become events;
 * effects go to the transport, the timers and the store. One event is handled after another, and
 * answers of the store in the order in which it did the work.
 */
import type { ActorId, Address } from "../../core/base/ids.ts";
import { formatHlc } from "../../core/clock/hlc.ts";
import type { ReplicaConfig } from "../../core/node/config.ts";
import type {
  Effect,
  Event,
  Notice,
  Plane,
  StoreRequest,
  StoreResponse,
} from "../../core/node/event.ts";
import { Replica } from "../../core/node/replica.ts";
import type { Chunk, StoreSummary } from "../../core/node/store.ts";
import { Directory } from "../../core/swim/directory.ts";
import type { Identity } from "../../core/swim/identity.ts";
import { traceChanges } from "../../core/trace/changes.ts";
import { kindOf } from "../../core/wire/envelope.ts";
import { Contention } from "../net/contention.ts";
import type { LiveEvent, LiveState } from "../observe/live-trace.ts";
import type { Opened } from "../store-process/store-client.ts";
import { DueTimers } from "./due-timers.ts";
import { Gathering } from "./gathering.ts";
import { LagWindow } from "./lag-window.ts";
import { SystemRng } from "./random.ts";
import { RefusedVersions } from "./refused-versions.ts";

export interface ReplicaHostOptions {
  readonly identity: Identity;
  readonly opened: Opened;
  readonly config: ReplicaConfig;
  send(to: Address, plane: Plane, reliable: boolean, bytes: Uint8Array): void;
  store(request: StoreRequest, done: (response: StoreResponse) => void): void;
  notice(notice: Notice): void;
  /** Versions of this author were applied or committed here. */
  moved(actor: ActorId): void;
  trace(event: LiveEvent): void;
  /** Timers were so late. */
  late(ms: number): void;
  /** A handler threw: a broken invariant. Nothing goes on after it. */
  broke(error: unknown): void;
}

export interface HostCounters {
  appliedVersions: number;
  appliedCells: number;
  lostCells: number;
  quarantinedVersions: number;
  rejectedVersions: number;
  farFutureStamps: number;
  storeFailures: number;
  commits: number;
  committedBytes: number;
  rejectedMessages: number;
  overflows: number;
  divergences: number;
  repairedRows: number;
}

export class ReplicaHost {
  readonly replica: Replica;
  readonly lag = new LagWindow();
  readonly counters: HostCounters = {
    appliedVersions: 0,
    appliedCells: 0,
    lostCells: 0,
    quarantinedVersions: 0,
    rejectedVersions: 0,
    farFutureStamps: 0,
    storeFailures: 0,
    commits: 0,
    committedBytes: 0,
    rejectedMessages: 0,
    overflows: 0,
    divergences: 0,
    repairedRows: 0,
  };
  /** Somebody listens to the live trace. */
  tracing = false;
  readonly #options: ReplicaHostOptions;
  readonly #timers: DueTimers;
  /** What this node commits, on its way out. */
  readonly #own: Gathering<Extract<Effect, { type: "send" }>>;
  readonly #refused = new RefusedVersions();
  readonly #now = { monoMs: 0, wallMs: 0 };
  readonly #out: Effect[] = [];
  readonly #waiting: Event[] = [];
  #handling = false;
  #stopped = false;

  constructor(options: ReplicaHostOptions) {
    this.#options = options;
    const { opened, identity, config } = options;
    this.replica = new Replica({
      self: identity,
      actor: opened.actor,
      holdings: opened.holdings,
      summary: opened.summary,
      config,
      rng: new SystemRng(),
      directory: new Directory(),
      schema: opened.schema.hash,
    });
    const contention = new Contention();
    this.#own = new Gathering(contention, (effect) => this.#send(effect));
    this.#timers = new DueTimers(
      (token) => this.handle({ type: "timer", token }),
      (ms) => {
        contention.late(ms);
        options.late(ms);
      },
    );
  }

  /** The highest of this node's versions that the protocol has been told of. */
  get ownHead(): number {
    return this.replica.ledger.get(this.replica.actor)?.head ?? 0;
  }

  /** @param more others that came with it follow at once. */
  message(from: Address, plane: Plane, bytes: Uint8Array, more = false): void {
    if (this.tracing) {
      const msg = kindOf(bytes) ?? "unknown";
      this.#options.trace({ k: "recv", from, plane, msg, bytes: bytes.length });
    }
    this.handle({ type: "message", from, plane, bytes, more });
  }

  committed(chunks: readonly Chunk[], summary: StoreSummary): void {
    const first = chunks[0];
    if (first !== undefined) {
      this.counters.commits++;
      for (const { payload } of chunks) this.counters.committedBytes += payload.length;
      if (this.tracing) {
        const { actor, version, hlc } = first;
        const changes = traceChanges(chunks);
        this.#options.trace({ k: "commit", actor, version, hlc: formatHlc(hlc), changes });
      }
    }
    this.handle({ type: "committed", chunks, summary });
    if (first !== undefined) this.#moved(first.actor);
  }

  /** Handles an event, and those that come up meanwhile after it. */
  handle(event: Event): void {
    if (this.#stopped) return;
    if (this.#handling) {
      this.#waiting.push(event);
      return;
    }
    this.#handling = true;
    try {
      this.#one(event);
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#one(next);
      }
    } catch (error) {
      this.stop();
      this.#options.broke(error);
    } finally {
      this.#handling = false;
    }
  }

  /** What was committed here leaves now: somebody waits for it to arrive. */
  hurry(): void {
    this.#own.flush();
  }

  stop(): void {
    this.#stopped = true;
    this.#own.flush();
    this.#timers.stop();
  }

  #one(event: Event): void {
    const now = this.#now;
    now.monoMs = performance.now();
    now.wallMs = Date.now();
    const out = this.#out;
    this.replica.handle(now, event, out);
    const own = event.type === "committed";
    for (let i = 0; i < out.length; i++) {
      const effect = out[i] as Effect;
      if (own && effect.type === "send") this.#own.put(effect);
      else this.#carryOut(effect);
    }
    out.length = 0;
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "send":
        this.#send(effect);
        break;
      case "timer":
        this.#timers.add(this.#now.monoMs, effect.token, effect.delayMs);
        break;
      case "store": {
        const { id, request } = effect;
        this.#options.store(request, (response) => this.#stored(id, request, response));
        break;
      }
      case "notify":
        this.#noticed(effect.notice);
        break;
    }
  }

  #send({ to, plane, reliable, kind: msg, bytes }: Extract<Effect, { type: "send" }>): void {
    if (this.tracing) this.#options.trace({ k: "send", to, plane, msg, bytes: bytes.length });
    this.#options.send(to, plane, reliable, bytes);
  }

  #stored(id: number, request: StoreRequest, response: StoreResponse): void {
    if (response.type === "failed") this.counters.storeFailures++;
    if (request.type === "receive" && response.type === "failed") {
      this.#refused.refused(performance.now(), request.chunks);
    }
    this.handle({ type: "stored", id, response });
    if (request.type === "receive" && response.type === "receive") {
      this.#received(request, response);
    }
  }

  #received(
    request: Extract<StoreRequest, { type: "receive" }>,
    response: Extract<StoreResponse, { type: "receive" }>,
  ): void {
    const { counters } = this;
    const wallMs = Date.now();
    const nowMs = performance.now();
    const stamps = new Map<string, number>();
    for (const { actor, version, hlc } of request.chunks) stamps.set(`${actor}/${version}`, hlc.ms);
    const moved = new Set<ActorId>(request.overwritten.map(({ actor }) => actor));
    counters.farFutureStamps += response.farFuture;
    for (const outcome of response.versions) {
      const { actor, version } = outcome;
      switch (outcome.type) {
        case "applied": {
          counters.appliedVersions++;
          counters.appliedCells += outcome.won;
          counters.lostCells += outcome.lost;
          moved.add(actor);
          const committedMs = stamps.get(`${actor}/${version}`);
          if (committedMs !== undefined) this.lag.add(nowMs, actor, wallMs - committedMs);
          if (this.tracing) {
            const { won, lost } = outcome;
            this.#options.trace({ k: "apply", actor, version, via: request.via, won, lost });
          }
          break;
        }
        case "buffered":
          if (this.tracing) {
            const { have, of } = outcome;
            this.#options.trace({ k: "buffer", actor, version, have, of });
          }
          break;
        case "quarantined":
          counters.quarantinedVersions++;
          moved.add(actor);
          break;
        case "rejected":
          counters.rejectedVersions++;
          break;
        case "known":
          moved.add(actor);
          break;
      }
    }
    for (const actor of moved) this.#moved(actor);
  }

  #moved(actor: ActorId): void {
    if (this.tracing) this.#options.trace(this.state());
    this.#options.moved(actor);
  }

  #noticed(notice: Notice): void {
    const { counters } = this;
    switch (notice.type) {
      case "rejected":
        counters.rejectedMessages++;
        break;
      case "overflow":
        counters.overflows += notice.count;
        break;
      case "divergence":
        counters.divergences++;
        break;
      case "repaired":
        counters.repairedRows += notice.rows;
        break;
      case "need":
        if (this.tracing) {
          const { actor, from, to } = notice;
          this.#options.trace({ k: "need", actor, from, to });
        }
        break;
    }
    this.#options.notice(notice);
  }

  /** The data state as the trace has it. */
  state(): LiveState {
    const { hash, rows } = this.replica.summary;
    const { heads, gaps } = this.books();
    return { k: "state", hash, heads, gaps, rows };
  }

  /** The highest version held of each author, and how many lower ones are missing. */
  books(): { readonly heads: Record<string, number>; readonly gaps: number } {
    const heads: Record<string, number> = {};
    let gaps = 0;
    for (const ledger of this.replica.ledger.actors()) {
      const { head } = ledger;
      if (head === 0) continue;
      heads[ledger.actor] = head;
      gaps += missing(ledger.lacking(1, head));
    }
    return { heads, gaps };
  }

  /** Versions that the store could not take yet, beyond the gaps in the books. */
  refusedVersions(): number {
    const headOf = (actor: ActorId): number => this.replica.ledger.get(actor)?.head ?? 0;
    return this.#refused.above(performance.now(), headOf);
  }

  /** Versions of one author known to be missing. */
  behind(actor: ActorId): number {
    const ledger = this.replica.ledger.get(actor);
    if (ledger === undefined || ledger.head === 0) return 0;
    return missing(ledger.lacking(1, ledger.head));
  }
}

function missing(ranges: readonly (readonly [number, number])[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
