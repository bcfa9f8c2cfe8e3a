/** Three ways for one node to learn what it lacks of what another holds: bytes and round trips. */
import { address } from "../../core/base/ids.ts";
import type { Effect } from "../../core/node/event.ts";
import { IdSource, machines } from "../../core/node/ids.ts";
import { lanSync } from "../../core/sync/config.ts";
import { bucketBits, type Ledger } from "../../core/sync/ledger.ts";
import { Serving } from "../../core/sync/serving.ts";
import { encodeAsk, encodeDigest } from "../../core/wire/sync-messages.ts";
import type { Books } from "./holdings.ts";

export interface Cost {
  readonly bytes: number;
  readonly roundTrips: number;
}

const nothing = { hi: 0, lo: 0 };

function tellBytes(from: Ledger, buckets: Int32Array): number {
  const out: Effect[] = [];
  const serving = new Serving(from, lanSync, new IdSource(machines.sync));
  serving.ask(address("peer"), { type: "ask", token: 1, holdings: nothing, buckets }, out);
  let bytes = 0;
  for (const effect of out) if (effect.type === "send") bytes += effect.bytes.length;
  return bytes;
}

/** The whole of one's books, as ranges of versions an actor: what Corrosion's nodes send at each sync. */
export function versionRanges({ there }: Books): Cost {
  // Hashes that equal none: all actors are told.
  const unlike = there.bucketHashes(bucketBits).map((lane) => ~lane);
  return { bytes: tellBytes(there, unlike), roundTrips: 1 };
}

/** Patina's: one digest, and when it differs a hash a bucket of actors, and the ranges in those that differ. */
export function digests({ here, there }: Books): Cost {
  const digest = { quarantined: false, reply: false, news: false };
  const hashes = { holdings: { ...there.hash }, state: nothing, schema: nothing };
  const first = encodeDigest({ ...digest, ...hashes }).length;
  const { hi, lo } = here.hash;
  if (hi === there.hash.hi && lo === there.hash.lo) return { bytes: first, roundTrips: 0.5 };
  const buckets = here.bucketHashes(bucketBits);
  const ask = encodeAsk(1, { hi, lo }, buckets).length;
  return { bytes: first + ask + tellBytes(there, buckets), roundTrips: 1.5 };
}

/** A range is halved into so many. */
const branches = 16;
/** Ranges of at most so many versions are listed one by one. */
const listed = 2 * branches;
const fingerprintBytes = 16;
/** A bound: actor prefix and version, as short as it may be. */
const boundBytes = 8;
const messageBytes = 8;
/** A version in a list: the actor once, then a varint each. */
const actorBytes = 16;
const versionBytes = 3;

/**
 * Range-based set reconciliation (Meyer, SRDS 2023) over all versions: fingerprints of ranges are
 * compared, those that differ are split, small ones listed.
 */
export function rangeReconciliation({ differences }: Books, all: number): Cost {
  let bytes = messageBytes + boundBytes + fingerprintBytes;
  let messages = 1;
  let ranges: [from: number, to: number][] = [[0, all]];
  if (differences.length === 0) return { bytes, roundTrips: 0.5 };
  while (ranges.length > 0) {
    const next: [number, number][] = [];
    let sent = messageBytes;
    for (const [from, to] of ranges) {
      const count = to - from;
      if (count <= listed) {
        sent += boundBytes + actorBytes + count * versionBytes;
        continue;
      }
      for (let i = 0; i < branches; i++) {
        const low = from + Math.floor((count * i) / branches);
        const high = from + Math.floor((count * (i + 1)) / branches);
        sent += boundBytes + fingerprintBytes;
        if (anyWithin(differences, low, high)) next.push([low, high]);
      }
    }
    bytes += sent;
    messages++;
    ranges = next;
  }
  return { bytes, roundTrips: messages / 2 };
}

/** `sorted` ascends: is one of them in [low, high)? */
function anyWithin(sorted: readonly number[], low: number, high: number): boolean {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] as number) < low) from = middle + 1;
    else to = middle;
  }
  return (sorted[from] ?? Infinity) < high;
}
