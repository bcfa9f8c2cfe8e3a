/**
 * The mending side of a divergence: equal holdings, equal schema, unequal rows. It is a bug or
 * corruption, so it is reported first, and then located (tables, then key ranges of about equal
 * rows, down to a handful) and mended by exchanging row states, which both sides merge. Every step
 * says what its sender held when its store answered: digests are compared only when holdings were
 * equal, and rows are merged only where all that their sender held is held too, so that writes
 * that go on meanwhile cause neither a false alarm nor rows that are ahead of the books.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, Notice, Now, StoreRequest, StoreResponse } from "../node/event.ts";
import type { IdSource } from "../node/ids.ts";
import type { RangeDigest } from "../node/store.ts";
import type { RepairMessage } from "../wire/repair-messages.ts";
import type { SyncConfig } from "./config.ts";
import type { Ledger } from "./ledger.ts";
import { RepairHelper } from "./repair-helper.ts";
import { maxRowBytes, sendRepair } from "./repair-send.ts";
import type { StateView } from "./state-view.ts";

/** Ranges to look into. Overflow policy: more are passed over; the next repair finds them. */
const maxRangeStack = 1024;
/** Ranges that one step compares. */
const partsPerStep = 16;
/** Few enough rows to be sent rather than compared. */
const rowsToSend = 64;
/** Writes that go on make comparisons void; after this many in one repair it is put off. */
const maxVoid = 8;

interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

interface Session {
  readonly peer: Address;
  readonly token: number;
  tables: string[];
  stack: KeyRange[];
  /** Being compared or sent. */
  range: KeyRange | null;
  /** What was sent for comparison. */
  parts: readonly RangeDigest[];
  storeId: number;
  voids: number;
  mended: number;
  touchedMs: number;
}

type Of<T extends RepairMessage["type"]> = Extract<RepairMessage, { type: T }>;

const everything: KeyRange = { from: new Uint8Array(0), to: new Uint8Array(0) };

export class Repair {
  readonly #ledger: Ledger;
  readonly #state: StateView;
  readonly #config: SyncConfig;
  readonly #ids: IdSource;
  readonly #helper: RepairHelper;
  #session: Session | null = null;
  #nextToken: number;
  #notBeforeMs = 0;
  #intervalMs: number;

  constructor(ledger: Ledger, state: StateView, config: SyncConfig, ids: IdSource, rng: Rng) {
    this.#ledger = ledger;
    this.#state = state;
    this.#config = config;
    this.#ids = ids;
    this.#helper = new RepairHelper(ledger, state, ids);
    this.#intervalMs = config.repairIntervalMs;
    this.#nextToken = 1 + rng.uint32();
  }

  /** `peer` holds the same and has other rows, it seems. */
  begin(now: Now, peer: Address, out: Effect[]): void {
    if (this.#session !== null || now.monoMs < this.#notBeforeMs) return;
    this.#session = {
      peer,
      token: this.#nextToken++,
      tables: [],
      stack: [],
      range: null,
      parts: [],
      storeId: 0,
      voids: 0,
      mended: 0,
      touchedMs: now.monoMs,
    };
    this.#ask(this.#session, { type: "tableDigests" }, out);
  }

  /** Returns what is wrong with the message, or null. */
  message(now: Now, from: Address, message: RepairMessage, out: Effect[]): string | null {
    switch (message.type) {
      case "tableDigests":
      case "rangeDigests":
        return this.#helper.message(now, from, message, out);
      case "rows":
        if (!message.answer) return this.#helper.message(now, from, message, out);
        break;
      case "tablesDiffer":
      case "rangesDiffer":
        break;
      default:
        return unreachable(message);
    }
    const session = this.#session;
    if (session === null || session.peer !== from || session.token !== message.token) {
      return "an answer to a repair that is not in progress";
    }
    session.touchedMs = now.monoMs;
    if (message.type === "tablesDiffer") return this.#tablesDiffer(now, session, message, out);
    if (message.type === "rangesDiffer") return this.#rangesDiffer(now, session, message, out);
    return this.#rows(now, session, message, out);
  }

  stored(now: Now, id: number, response: StoreResponse, out: Effect[]): void {
    if (this.#helper.stored(id, response, out)) return;
    const session = this.#session;
    if (session === null || session.storeId !== id) return;
    session.storeId = 0;
    session.touchedMs = now.monoMs;
    switch (response.type) {
      case "tableDigests": {
        this.#state.update(response.summary);
        const { digests } = response;
        sendRepair(session.peer, { type: "tableDigests", ...this.#step(session), digests }, out);
        break;
      }
      case "rangeDigests":
        this.#compareOrSend(session, response.ranges, out);
        break;
      case "readRows": {
        const range = session.range;
        assert(range !== null, "rows are read of a range");
        const to = response.next ?? range.to;
        if (response.next !== null) session.stack.push({ from: response.next, to: range.to });
        session.range = { from: range.from, to };
        const table = session.tables[0] as string;
        const { rows } = response;
        sendRepair(
          session.peer,
          {
            type: "rows",
            ...this.#step(session),
            answer: false,
            table,
            from: range.from,
            to,
            rows,
          },
          out,
        );
        break;
      }
      case "mergeRows":
        this.#state.update(response.summary);
        this.#mended(session, response.changed, out);
        this.#next(now, session, out);
        break;
      case "failed":
        this.#end(now);
        break;
      case "receive":
      case "serve":
        assert(false, "a repair neither receives nor serves versions");
        break;
      default:
        unreachable(response);
    }
  }

  /** Gives up a peer that fell silent. */
  work(now: Now): void {
    if (this.#session !== null && now.monoMs >= this.#silentMs(this.#session)) this.#end(now);
    this.#helper.expire(now);
  }

  giveUp(now: Now, peer: Address): void {
    if (this.#session?.peer === peer) this.#end(now);
  }

  nextDueMs(): number {
    return this.#session === null ? Infinity : this.#silentMs(this.#session);
  }

  #silentMs(session: Session): number {
    return session.touchedMs + this.#config.answerTimeoutMs;
  }

  #tablesDiffer(now: Now, session: Session, message: Of<"tablesDiffer">, out: Effect[]): null {
    if (!message.comparable || message.tables.length === 0) {
      this.#end(now);
      return null;
    }
    session.tables = [...message.tables];
    for (const table of message.tables) {
      out.push(notice({ type: "divergence", peer: session.peer, table }));
    }
    session.stack = [everything];
    this.#next(now, session, out);
    return null;
  }

  #rangesDiffer(
    now: Now,
    session: Session,
    message: Of<"rangesDiffer">,
    out: Effect[],
  ): string | null {
    const { range, parts } = session;
    if (range === null || parts.length === 0) return "ranges that were not sent";
    if (!message.comparable) {
      session.stack.push(range);
      if (++session.voids >= maxVoid) this.#end(now);
      else this.#next(now, session, out);
      return null;
    }
    for (const i of message.ranges) {
      const part = parts[i];
      if (part === undefined) return "a range that was not sent";
      if (session.stack.length >= maxRangeStack) break;
      const from = i === 0 ? range.from : part.from;
      session.stack.push({ from, to: parts[i + 1]?.from ?? range.to });
    }
    this.#next(now, session, out);
    return null;
  }

  #rows(now: Now, session: Session, message: Of<"rows">, out: Effect[]): string | null {
    const range = session.range;
    if (range === null || message.table !== session.tables[0])
      return "rows that were not asked for";
    if (message.to.length > 0 && !equalBytes(message.to, range.to)) {
      // The peer has more rows in the range than fit into one message.
      session.stack.push({ from: message.to, to: range.to });
    }
    if (!this.#ledger.hasHeld(message.holdings)) {
      if (++session.voids >= maxVoid) this.#end(now);
      else this.#next(now, session, out);
      return null;
    }
    this.#ask(session, { type: "mergeRows", rows: message.rows }, out);
    return null;
  }

  #compareOrSend(session: Session, ranges: readonly RangeDigest[], out: Effect[]): void {
    const range = session.range;
    assert(range !== null, "digests are of a range");
    const table = session.tables[0] as string;
    let rows = 0;
    for (const part of ranges) rows += part.rows;
    if (rows <= rowsToSend || ranges.length < 2) {
      session.parts = [];
      const { from, to } = range;
      this.#ask(session, { type: "readRows", table, from, to, maxBytes: maxRowBytes }, out);
      return;
    }
    session.parts = ranges.map((part, i) => (i === 0 ? { ...part, from: range.from } : part));
    sendRepair(
      session.peer,
      {
        type: "rangeDigests",
        ...this.#step(session),
        table,
        to: range.to,
        ranges: session.parts,
      },
      out,
    );
  }

  /** Looks into the next range, of the next table when this one is done. */
  #next(now: Now, session: Session, out: Effect[]): void {
    session.range = session.stack.pop() ?? null;
    session.parts = [];
    if (session.range === null) {
      session.tables.shift();
      if (session.tables.length === 0) {
        this.#end(now);
        return;
      }
      session.range = everything;
    }
    const { from, to } = session.range;
    const table = session.tables[0] as string;
    this.#ask(session, { type: "rangeDigests", table, from, to, parts: partsPerStep }, out);
  }

  #mended(session: Session, changed: number, out: Effect[]): void {
    if (changed === 0) return;
    session.mended += changed;
    const table = session.tables[0] as string;
    out.push(notice({ type: "repaired", peer: session.peer, table, rows: changed }));
  }

  #end(now: Now): void {
    const session = this.#session;
    assert(session !== null, "ends a repair in progress");
    this.#session = null;
    const { repairIntervalMs, repairIntervalMaxMs } = this.#config;
    if (session.mended > 0) this.#intervalMs = repairIntervalMs;
    else this.#intervalMs = Math.min(this.#intervalMs * 2, repairIntervalMaxMs);
    this.#notBeforeMs = now.monoMs + this.#intervalMs;
  }

  #step(session: Session): { token: number; holdings: { hi: number; lo: number } } {
    const { hi, lo } = this.#ledger.hash;
    return { token: session.token, holdings: { hi, lo } };
  }

  #ask(session: Session, request: StoreRequest, out: Effect[]): void {
    session.storeId = this.#ids.next();
    out.push({ type: "store", id: session.storeId, request });
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function notice(n: Notice): Effect {
  return { type: "notify", notice: n };
}
