/** One peer from whom a node fetches what it lacks: what was offered, what was asked, how it goes. */
import type { Address } from "../base/ids.ts";
import { IntervalSet } from "../base/interval-set.ts";
import type { WireHash } from "../wire/wire-hash.ts";
import type { HoldingsEntry } from "../wire/sync-messages.ts";
import type { ActorLedger } from "./actor-ledger.ts";
import type { Ledger } from "./ledger.ts";
import type { Ranges } from "./marker-pool.ts";
import type { AskedWant, PartOffer } from "./wants.ts";

/** Ranges kept of one peer's offer. Overflow policy: what is more is passed over; the next round finds it. */
export const maxOfferedRanges = 262_144;

/** A request that is not answered to its end. */
export interface OpenRequest {
  readonly id: number;
  readonly wants: readonly AskedWant[];
  /** Something of it came. */
  answered: boolean;
}

export class Pull {
  readonly peer: Address;
  /** Of the telling that is awaited; a stale one falls through. */
  token: number;
  stage: "telling" | "fetching" = "telling";
  /** No grace for what may be on its way by broadcast. */
  urgent: boolean;
  /** What the peer holds whole and this node does not. */
  offered: Ranges = new Map();
  readonly parts: PartOffer[] = [];
  readonly requests: OpenRequest[] = [];
  nextPage = 0;
  /** More was told than is kept, so the offer is not all that the peer holds. */
  incomplete = false;
  /** Versions per request. */
  slice: number;
  /** Versions that it brought, markers included. */
  versions = 0;
  /** Nothing is asked before this monotonic time. */
  askFromMs = 0;
  /** Monotonic time of the peer's last sign, or of the last question to it. */
  touchedMs: number;
  /** Answers in a row that brought nothing. */
  empty = 0;
  /** Tellings so far. */
  rounds = 0;
  /** Holdings of the peer as of its telling. */
  told: WireHash | null = null;
  /** Holdings that the peer has told of since. */
  since: WireHash | null = null;
  #offeredRanges = 0;

  constructor(peer: Address, token: number, urgent: boolean, slice: number, monoMs: number) {
    this.peer = peer;
    this.token = token;
    this.urgent = urgent;
    this.slice = slice;
    this.touchedMs = monoMs;
  }

  get awaitsAnswer(): boolean {
    return this.stage === "telling" || this.requests.length > 0;
  }

  /** Versions on offer that were not asked for yet. */
  get offeredVersions(): number {
    let count = 0;
    for (const set of this.offered.values()) count += set.count;
    return count;
  }

  /** Begins another telling: the offer is what this one says and nothing else. */
  restart(token: number, monoMs: number): void {
    this.token = token;
    this.stage = "telling";
    this.offered = new Map();
    this.parts.length = 0;
    this.nextPage = 0;
    this.incomplete = false;
    this.told = null;
    this.since = null;
    this.touchedMs = monoMs;
    this.#offeredRanges = 0;
  }

  /** `from`..`to` did not fit into an answer: it is on offer still. */
  offerRange(ledger: ActorLedger, from: number, to: number): void {
    for (const [low, high] of ledger.lacking(from, to)) {
      const set = this.offered.get(ledger);
      if (set === undefined) this.offered.set(ledger, IntervalSet.of([[low, high]]));
      else set.add(low, high);
    }
  }

  /** Keeps what of `entry` is not held here. */
  offer(books: Ledger, entry: HoldingsEntry): void {
    if (this.#offeredRanges >= maxOfferedRanges) {
      this.incomplete = true;
      return;
    }
    const ledger = books.open(entry.actor);
    if (ledger === null) {
      this.incomplete = true;
      return;
    }
    let set = this.offered.get(ledger);
    for (const [from, to] of entry.held) {
      for (const [low, high] of ledger.lacking(from, to)) {
        if (set === undefined) {
          set = new IntervalSet();
          this.offered.set(ledger, set);
        }
        set.add(low, high);
        this.#offeredRanges++;
      }
    }
    for (const { version, count, have } of entry.partial) {
      if (ledger.held.has(version)) continue;
      this.parts.push({ ledger, version, count, have });
      this.#offeredRanges += have.length;
    }
  }
}
