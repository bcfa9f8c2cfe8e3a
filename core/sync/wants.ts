/**
 * What to ask a peer for next: of what it offered, what is neither held nor on its way, the newest
 * versions of each author first, at most a slice of them, so that several peers share the work.
 */
import type { Interval } from "../base/interval-set.ts";
import type { Want } from "../node/store.ts";
import { maxRangesPerEntry, maxWants } from "../wire/sync-messages.ts";
import type { ActorLedger, PartialVersion } from "./actor-ledger.ts";
import type { Ledger } from "./ledger.ts";
import type { Ranges } from "./marker-pool.ts";

/** A want that is marked as asked in the books. */
export interface AskedWant {
  readonly ledger: ActorLedger;
  readonly from: number;
  readonly to: number;
  /** Chunk ranges of one version; null: versions whole. */
  readonly chunks: readonly Interval[] | null;
}

/** A version that the peer holds in part. */
export interface PartOffer {
  readonly ledger: ActorLedger;
  readonly version: number;
  readonly count: number;
  readonly have: readonly Interval[];
}

/** Each author gets at least this many of a slice, lest a request have a thousand tiny wants. */
const minPerActor = 8;

/** Versions held in part that one request asks for. */
const maxPartWants = 8;

/** Chunks of one version in one request: at the target size as much as a window holds. */
const maxChunksPerWant = 16;

/**
 * Chooses at most `limit` versions out of `offered`, takes them out of it and marks them as asked.
 * What turns out to be held is taken out too.
 */
export function chooseWants(books: Ledger, offered: Ranges, limit: number): AskedWant[] {
  const wants: AskedWant[] = [];
  const perActor = Math.max(minPerActor, Math.ceil(limit / Math.max(1, offered.size)));
  let left = limit;
  for (const [ledger, set] of offered) {
    if (left <= 0 || wants.length >= maxWants - 1) break;
    let quota = Math.min(perActor, left);
    // From the last range down: what is taken out changes none of those before it.
    for (let i = set.size - 1; i >= 0 && quota > 0; i--) {
      const [low, high] = set.rangeAt(i);
      for (const [from, to] of ledger.held.within(low, high)) set.remove(from, to);
      const wanting = ledger.wanting(low, high);
      for (let k = wanting.length - 1; k >= 0 && quota > 0; k--) {
        const [first, to] = wanting[k] as Interval;
        const from = Math.max(first, to - quota + 1);
        const taken = takeRange(books, ledger, from, to, wants);
        for (const [a, b] of taken) set.remove(a, b);
        quota -= to - from + 1;
        left -= to - from + 1;
        if (wants.length >= maxWants - 1) break;
      }
      if (wants.length >= maxWants - 1) break;
    }
    if (set.isEmpty) offered.delete(ledger);
  }
  return wants;
}

/** Asks for `from`..`to`, around the versions held in part, and for the missing chunks of those. Returns what is asked for whole. */
function takeRange(
  books: Ledger,
  ledger: ActorLedger,
  from: number,
  to: number,
  wants: AskedWant[],
): Interval[] {
  const parts = [...ledger.partialsWithin(from, to)].sort((a, b) => a.version - b.version);
  const whole: Interval[] = [];
  const done: Interval[] = [];
  let next = from;
  for (const part of parts) {
    if (part.version > next) whole.push([next, part.version - 1]);
    next = part.version + 1;
    const chunks = firstChunks(ledger.wantingChunks(part));
    if (chunks.length === 0) continue;
    books.askChunks(ledger, part.version, chunks, true);
    wants.push({ ledger, from: part.version, to: part.version, chunks });
    if (ledger.wantingChunks(part).length === 0) done.push([part.version, part.version]);
  }
  if (next <= to) whole.push([next, to]);
  for (const [low, high] of whole) {
    ledger.setAsked(low, high, true);
    wants.push({ ledger, from: low, to: high, chunks: null });
  }
  return [...done, ...whole];
}

/** Chunks that are wanted of versions which the peer holds in part. Offers with nothing left to ask leave the list. */
export function choosePartWants(books: Ledger, offers: PartOffer[]): AskedWant[] {
  const wants: AskedWant[] = [];
  const kept: PartOffer[] = [];
  for (const offer of offers) {
    const { ledger, version, count } = offer;
    const known = ledger.partial(version);
    if (ledger.held.has(version) || (known !== undefined && known.count !== count)) continue;
    if (ledger.isAsked(version) || wants.length >= maxPartWants) {
      kept.push(offer);
      continue;
    }
    if (ledger.wanting(version, version).length === 0) continue;
    const chunks = firstChunks(offeredChunks(ledger, known, offer));
    if (chunks.length === 0) continue;
    if (known === undefined) ledger.setAsked(version, version, true);
    else books.askChunks(ledger, version, chunks, true);
    wants.push({ ledger, from: version, to: version, chunks });
    kept.push(offer);
  }
  offers.length = 0;
  for (const offer of kept) offers.push(offer);
  return wants;
}

function offeredChunks(
  ledger: ActorLedger,
  known: PartialVersion | undefined,
  offer: PartOffer,
): Interval[] {
  if (known === undefined) return [...offer.have];
  const chunks: Interval[] = [];
  for (const [from, to] of ledger.wantingChunks(known)) {
    for (const [low, high] of offer.have) {
      if (high >= from && low <= to) chunks.push([Math.max(low, from), Math.min(high, to)]);
    }
  }
  return chunks;
}

function firstChunks(ranges: readonly Interval[]): Interval[] {
  const chosen: Interval[] = [];
  let left = maxChunksPerWant;
  for (const [from, to] of ranges) {
    if (left === 0 || chosen.length === maxRangesPerEntry) break;
    const end = Math.min(to, from + left - 1);
    chosen.push([from, end]);
    left -= end - from + 1;
  }
  return chosen;
}

/** Takes the marks back: answered, or never to be. */
export function unask(books: Ledger, wants: readonly AskedWant[]): void {
  for (const { ledger, from, to, chunks } of wants) {
    // A version asked for while nothing of it was known is marked whole, whatever its chunks.
    ledger.setAsked(from, to, false);
    if (chunks !== null) books.askChunks(ledger, from, chunks, false);
  }
}

export function wireWants(wants: readonly AskedWant[]): Want[] {
  return wants.map(({ ledger, from, to, chunks }) =>
    chunks === null ? { actor: ledger.actor, from, to } : { actor: ledger.actor, from, to, chunks },
  );
}
