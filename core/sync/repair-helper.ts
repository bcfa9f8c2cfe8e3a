/** The answering side of a repair (`repair.ts`): compares its own digests, merges rows and gives its own. */
import { assert, unreachable } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Effect, Now, StoreRequest, StoreResponse } from "../node/event.ts";
import type { IdSource } from "../node/ids.ts";
import type { RangeDigest, RowState } from "../node/store.ts";
import type { RepairMessage } from "../wire/repair-messages.ts";
import { equalHashes, type WireHash } from "../wire/wire-hash.ts";
import type { Ledger } from "./ledger.ts";
import { maxRowBytes, sendRepair } from "./repair-send.ts";
import type { StateView } from "./state-view.ts";

/** Repairs of others helped with at a time. Overflow policy: one more is refused; that peer tries again later. */
export const maxHelped = 4;
/** A repair that says nothing for this long is over. */
const silentMs = 10_000;

type Asking = Extract<RepairMessage, { type: "tableDigests" | "rangeDigests" | "rows" }>;
type Of<T extends RepairMessage["type"]> = Extract<RepairMessage, { type: T }>;

/** One repair that is helped with, and the step in progress. */
interface Help {
  readonly peer: Address;
  readonly token: number;
  touchedMs: number;
  step: Asking | null;
  /** Digests of the ranges so far; null for one that is empty. */
  digests: (RangeDigest | null)[];
  /** Holdings stayed equal to the asker's through the whole step. */
  comparable: boolean;
}

export class RepairHelper {
  readonly #ledger: Ledger;
  readonly #state: StateView;
  readonly #ids: IdSource;
  /** Replaced, never changed, so that it may be walked meanwhile. */
  #helps: readonly Help[] = [];
  readonly #store = new Map<number, Help>();

  constructor(ledger: Ledger, state: StateView, ids: IdSource) {
    this.#ledger = ledger;
    this.#state = state;
    this.#ids = ids;
  }

  /** Returns what is wrong with the message, or null. */
  message(now: Now, from: Address, message: Asking, out: Effect[]): string | null {
    let help = this.#helps.find(({ peer }) => peer === from);
    if (message.type === "tableDigests") {
      if (help !== undefined) this.#drop(help);
      if (this.#helps.length >= maxHelped) return null;
      const { token } = message;
      help = { peer: from, token, touchedMs: 0, step: null, digests: [], comparable: true };
      this.#helps = [...this.#helps, help];
    }
    if (help === undefined || help.token !== message.token) return "a step of an unknown repair";
    if (help.step !== null) return "a step before the last one was answered";
    help.touchedMs = now.monoMs;
    help.step = message;
    help.digests = [];
    help.comparable = true;
    switch (message.type) {
      case "tableDigests":
        this.#ask(help, { type: "tableDigests" }, out);
        break;
      case "rangeDigests":
        this.#askRange(help, message, out);
        break;
      case "rows":
        // Rows of somebody who held something else may be ahead of the books: then only give one's own.
        if (this.#ledger.hasHeld(message.holdings)) {
          this.#ask(help, { type: "mergeRows", rows: message.rows }, out);
        } else {
          this.#read(help, message, out);
        }
        break;
      default:
        unreachable(message);
    }
    return null;
  }

  /** The store's answer to request `id`; false when that is not one of these. */
  stored(id: number, response: StoreResponse, out: Effect[]): boolean {
    const help = this.#store.get(id);
    if (help === undefined) return false;
    this.#store.delete(id);
    const { step } = help;
    // Dropped meanwhile.
    if (step === null || !this.#helps.includes(help)) return true;
    if (response.type === "failed") {
      this.#drop(help);
      return true;
    }
    switch (step.type) {
      case "tableDigests":
        assert(response.type === "tableDigests", "answered as asked");
        this.#state.update(response.summary);
        help.step = null;
        this.#tellTables(help, step, response.digests, out);
        break;
      case "rangeDigests":
        assert(response.type === "rangeDigests", "answered as asked");
        help.comparable &&= equalHashes(this.#ledger.hash, step.holdings);
        help.digests.push(response.ranges[0] ?? null);
        if (help.digests.length < step.ranges.length) this.#askRange(help, step, out);
        else this.#tellRanges(help, step, out);
        break;
      case "rows":
        if (response.type === "mergeRows") {
          this.#state.update(response.summary);
          const { changed: rows } = response;
          const { table } = step;
          const notice = { type: "repaired", peer: help.peer, table, rows } as const;
          if (rows > 0) out.push({ type: "notify", notice });
          this.#read(help, step, out);
        } else {
          assert(response.type === "readRows", "answered as asked");
          help.step = null;
          this.#tellRows(help, step, response.rows, response.next, out);
        }
        break;
      default:
        unreachable(step);
    }
    return true;
  }

  expire(now: Now): void {
    if (this.#helps.length === 0) return;
    for (const help of this.#helps) {
      if (now.monoMs >= help.touchedMs + silentMs) this.#drop(help);
    }
  }

  #tellTables(
    help: Help,
    step: Of<"tableDigests">,
    digests: readonly (readonly [string, string])[],
    out: Effect[],
  ): void {
    const holdings = this.#holdings();
    const comparable = equalHashes(holdings, step.holdings);
    const own = new Map(digests);
    const tables: string[] = [];
    for (const [table, hash] of step.digests) {
      const mine = own.get(table);
      if (mine !== undefined && mine !== hash) tables.push(table);
    }
    const { token } = help;
    sendRepair(help.peer, { type: "tablesDiffer", token, holdings, comparable, tables }, out);
  }

  #askRange(help: Help, step: Of<"rangeDigests">, out: Effect[]): void {
    const i = help.digests.length;
    const range = step.ranges[i];
    if (range === undefined) {
      this.#tellRanges(help, step, out);
      return;
    }
    const to = step.ranges[i + 1]?.from ?? step.to;
    const { table } = step;
    this.#ask(help, { type: "rangeDigests", table, from: range.from, to, parts: 1 }, out);
  }

  #tellRanges(help: Help, step: Of<"rangeDigests">, out: Effect[]): void {
    help.step = null;
    const ranges: number[] = [];
    for (let i = 0; i < step.ranges.length; i++) {
      const theirs = step.ranges[i] as RangeDigest;
      const mine = help.digests[i] ?? null;
      if ((mine?.rows ?? 0) !== theirs.rows) ranges.push(i);
      else if (theirs.rows > 0 && mine?.hash !== theirs.hash) ranges.push(i);
    }
    const { token, comparable } = help;
    const holdings = this.#holdings();
    sendRepair(help.peer, { type: "rangesDiffer", token, holdings, comparable, ranges }, out);
  }

  #read(help: Help, step: Of<"rows">, out: Effect[]): void {
    const { table, from, to } = step;
    this.#ask(help, { type: "readRows", table, from, to, maxBytes: maxRowBytes }, out);
  }

  #tellRows(
    help: Help,
    step: Of<"rows">,
    rows: readonly RowState[],
    next: Uint8Array | null,
    out: Effect[],
  ): void {
    const { token } = help;
    const { table, from } = step;
    const to = next ?? step.to;
    const holdings = this.#holdings();
    const answer = true;
    sendRepair(help.peer, { type: "rows", token, holdings, answer, table, from, to, rows }, out);
  }

  #holdings(): WireHash {
    const { hi, lo } = this.#ledger.hash;
    return { hi, lo };
  }

  #ask(help: Help, request: StoreRequest, out: Effect[]): void {
    const id = this.#ids.next();
    this.#store.set(id, help);
    out.push({ type: "store", id, request });
  }

  #drop(help: Help): void {
    this.#helps = this.#helps.filter((other) => other !== help);
  }
}
