/** For every kind of message: how to make any of them, and how to read it back. One table, so that no kind is forgotten. */
import fc from "fast-check";
import type { Interval } from "../../core/base/interval-set.ts";
import type { Want } from "../../core/node/store.ts";
import { incarnationCeiling } from "../../core/swim/identity.ts";
import type { CellWrite, RowChange } from "../../core/wire/changes.ts";
import { type Decoded, decodeMessage } from "../../core/wire/envelope.ts";
import {
  type ChunkRef,
  encodeGraft,
  encodeIhave,
  encodePrune,
  encodePush,
  gossipDecoders,
  maxGossipBytes,
} from "../../core/wire/gossip-messages.ts";
import type { MessageKind } from "../../core/wire/kinds.ts";
import { encodeRepair, type RepairMessage } from "../../core/wire/repair-messages.ts";
import type { RowCells, Stamp } from "../../core/wire/row-state.ts";
import {
  decodeSwim,
  describe,
  encodeSwim,
  flagListing,
  type SwimMessageText,
} from "../../core/wire/swim-messages.ts";
import type { MemberRecord } from "../../core/wire/swim-records.ts";
import {
  encodeAsk,
  encodeChunks,
  encodeDigest,
  encodeDone,
  encodeRequest,
  hasSeals,
  maxSyncBytes,
  syncDecoders,
  type SyncMessage,
  TellWriter,
} from "../../core/wire/sync-messages.ts";
import { Writer } from "../../core/wire/writer.ts";
import { anyText, anyValue } from "./arbitraries.ts";
import {
  anyActor,
  anyChunk,
  anyHlc,
  anySealedChunk,
  anyVersion as version,
} from "./chunk-arbitraries.ts";

/** What was to be sent, and its bytes. */
export interface Sent {
  readonly message: unknown;
  readonly bytes: Uint8Array;
}

export interface KindCase {
  readonly sent: fc.Arbitrary<Sent>;
  /** As the room reads it. */
  readonly decode: (bytes: Uint8Array) => Decoded<unknown>;
}

// Parts

const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 0xffff_ffff));
const i32 = u32.map((n) => n | 0);
const count = fc.oneof(fc.nat(300), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 90 });
const name = anyText.filter((text) => Buffer.byteLength(text) <= 60);
const hash = fc.record({ hi: i32, lo: i32 });
const hexHash = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((raw) => Buffer.from(raw).toString("hex"));

/** Ascending, disjoint ranges from `lowest` on. */
function anyRanges(lowest: number, minLength = 0): fc.Arbitrary<Interval[]> {
  const steps = fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { minLength, maxLength: 6 });
  return steps.map((list) => {
    let next = lowest;
    return list.map(([skip, length]): Interval => {
      const from = next + skip;
      next = from + length + 1;
      return [from, from + length];
    });
  });
}

const anyRef: fc.Arbitrary<ChunkRef> = anyChunk.map((chunk) => {
  return { actor: chunk.actor, version: chunk.version, index: chunk.index, count: chunk.count };
});

const anyWant: fc.Arbitrary<Want> = fc
  .record({ actor: anyActor, from: version, length: fc.nat(9), chunks: anyRanges(0) })
  .map(({ actor, from, length, chunks }): Want => {
    const to = Math.min(from + length, 2 ** 48);
    return chunks.length === 0 ? { actor, from, to } : { actor, from, to: from, chunks };
  });

// Payloads

const anyCell: fc.Arbitrary<CellWrite> = fc.oneof(
  fc.record({ column: name, value: anyValue }),
  fc.record({ column: name, add: anyValue, total: anyValue }),
);

/** Rows of a few tables, each with a key of its own width; dead rows have no cells. */
export const anyRows: fc.Arbitrary<RowChange[]> = fc
  .array(
    fc.record({
      table: fc.constantFrom("links", "services", "t\u00e9"),
      key: fc.array(anyValue, { minLength: 3, maxLength: 3 }),
      causalLength: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 ** 40 })),
      cells: fc.uniqueArray(anyCell, { maxLength: 5, selector: (cell) => cell.column }),
    }),
    { maxLength: 12 },
  )
  .map((rows) =>
    rows
      .map((row) => ({
        ...row,
        key: row.key.slice(0, row.table.length % 3 || 3),
        cells: row.causalLength % 2 === 1 ? row.cells : [],
      }))
      .sort((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : 0)),
  );

const anyStamp: fc.Arbitrary<Stamp> = fc.record({ hlc: anyHlc, actor: anyActor });

export const anyRowCells: fc.Arbitrary<RowCells> = fc.record({
  sentinel: fc.option(anyStamp),
  cells: fc.uniqueArray(
    fc.record({
      column: name,
      base: fc.option(fc.record({ stamp: anyStamp, value: anyValue })),
      totals: fc
        .uniqueArray(fc.record({ stamp: anyStamp, total: anyValue }), {
          maxLength: 4,
          selector: (total) => total.stamp.actor,
        })
        .map((totals) => totals.sort((a, b) => (a.stamp.actor < b.stamp.actor ? -1 : 1))),
    }),
    { maxLength: 6, selector: (cell) => cell.column },
  ),
});

// Membership

const anyRecord: fc.Arbitrary<MemberRecord> = fc
  .record({
    tagHi: u16,
    tagLo: u32,
    state: fc.constantFrom("alive", "suspect", "down", "left"),
    incarnation: fc.oneof(fc.nat(9), fc.integer({ min: 0, max: incarnationCeiling })),
    accusers: fc.array(u32, { maxLength: 3 }),
    ageSec: fc.oneof(fc.nat(100), fc.nat(2 ** 31)),
    body: fc.option(fc.uint8Array({ maxLength: 200 })),
  })
  .map((record) => {
    const gone = record.state === "down" || record.state === "left";
    return gone ? record : { ...record, ageSec: 0 };
  });

const news = fc
  .record({ records: fc.array(anyRecord, { maxLength: 5 }), size: fc.nat(100_000) })
  .map((told) => (told.records.length === 0 ? { records: [], size: 0 } : told));

const writer = new Writer();

function swim(arbitrary: fc.Arbitrary<SwimMessageText>): KindCase {
  return {
    sent: arbitrary.map((message) => ({ message, bytes: encodeSwim(writer, message) })),
    decode: (raw) => {
      const decoded = decodeSwim(raw);
      if (decoded.type !== "message") return decoded;
      return { ...decoded, message: describe(decoded.message) };
    },
  };
}

const anyDigests = fc.integer({ min: 0, max: 8 }).chain((depth) =>
  fc.record({
    kind: fc.constant("memberDigest" as const),
    source: u32,
    depth: fc.constant(depth),
    digests: fc.array(u32, { minLength: 2 ** depth, maxLength: 2 ** depth }),
  }),
);

const anyGroups = fc.integer({ min: 0, max: 8 }).chain((depth) => {
  const group = fc.integer({ min: 0, max: 2 ** depth - 1 });
  return fc
    .record({
      kind: fc.constant("memberGroups" as const),
      flags: fc.constantFrom(0, flagListing),
      source: u32,
      depth: fc.constant(depth),
      listed: fc.uniqueArray(group, { maxLength: 20 }),
      wants: fc.array(fc.tuple(u16, u32), { maxLength: 5 }).map((pairs): number[] => pairs.flat()),
      news,
    })
    .map(({ news: told, listed, ...message }) => ({
      ...message,
      ...told,
      listed: message.flags === 0 ? [] : listed.sort((a, b) => a - b),
    }));
});

function withNews<T extends object>(
  arbitrary: fc.Arbitrary<T>,
): fc.Arbitrary<T & { records: MemberRecord[]; size: number }> {
  return fc.tuple(arbitrary, news).map(([message, told]) => ({ ...message, ...told }));
}

// Broadcast and sync

interface Codec<M> {
  readonly any: fc.Arbitrary<M>;
  readonly encode: (message: M) => Uint8Array;
}

function gossip<M>(codec: Codec<M>): KindCase {
  return {
    sent: codec.any.map((message) => ({ message, bytes: codec.encode(message) })),
    decode: (raw) => decodeMessage(raw, gossipDecoders, maxGossipBytes),
  };
}

function sync<M extends SyncMessage>(any: fc.Arbitrary<M>): KindCase {
  return {
    sent: any.map((message) => ({ message, bytes: encodeSync(message) })),
    decode: (raw) => decodeMessage(raw, syncDecoders, maxSyncBytes),
  };
}

function encodeSync(message: SyncMessage): Uint8Array {
  switch (message.type) {
    case "digest":
      return encodeDigest(message);
    case "ask":
      return encodeAsk(message.token, message.holdings, message.buckets);
    case "tell": {
      const page = new TellWriter();
      for (const entry of message.entries) page.add(entry);
      return page.finish(message.token, message.page, message.last, message.holdings);
    }
    case "request":
      return encodeRequest(message.id, message.maxBytes, message.wants);
    case "chunks":
      return encodeChunks(message.id, message.chunks);
    case "done":
      return encodeDone(message.id, message.failed, message.overwritten, message.rest);
    default:
      return encodeRepair(message);
  }
}

const typed = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);

const anyAsk = fc.integer({ min: 0, max: 6 }).chain((bits) =>
  fc.record({
    type: typed("ask"),
    token: count,
    holdings: hash,
    buckets: fc.int32Array({ minLength: 2 << bits, maxLength: 2 << bits }),
  }),
);

const anyTell = fc.record({
  type: typed("tell"),
  token: count,
  page: count,
  last: fc.boolean(),
  holdings: hash,
  entries: fc.array(
    fc.record({
      actor: anyActor,
      held: anyRanges(1),
      partial: fc.array(fc.record({ version, count: fc.constant(10_000), have: anyRanges(0) }), {
        maxLength: 3,
      }),
    }),
    { maxLength: 4 },
  ),
});

const step = { token: count, holdings: hash };

const anyRepair: fc.Arbitrary<Exclude<RepairMessage, { type: "rows" }>> = fc.oneof(
  fc.record({
    type: typed("tableDigests"),
    ...step,
    digests: fc.array(fc.tuple(name, hexHash), { maxLength: 5 }),
  }),
  fc.record({
    type: typed("tablesDiffer"),
    ...step,
    comparable: fc.boolean(),
    tables: fc.array(name, { maxLength: 5 }),
  }),
  fc.record({
    type: typed("rangeDigests"),
    ...step,
    table: name,
    to: bytes,
    ranges: fc.array(fc.record({ from: bytes, rows: count, hash: hexHash }), { maxLength: 5 }),
  }),
  fc.record({
    type: typed("rangesDiffer"),
    ...step,
    comparable: fc.boolean(),
    ranges: fc.array(count, { maxLength: 5 }),
  }),
);

const anyRowStates = fc.record({
  type: typed("rows"),
  ...step,
  answer: fc.boolean(),
  table: name,
  from: bytes,
  to: bytes,
  rows: fc.array(fc.record({ table: name, key: bytes, causalLength: version, cells: bytes }), {
    maxLength: 5,
  }),
});

export const kindCases: Readonly<Record<MessageKind, KindCase>> = {
  ping: swim(
    withNews(
      fc.record({
        kind: fc.constant("ping" as const),
        flags: u8,
        seq: u16,
        source: u32,
        target: u32,
        root: u32,
      }),
    ),
  ),
  ack: swim(
    withNews(
      fc.record({ kind: fc.constant("ack" as const), flags: u8, seq: u16, source: u32, root: u32 }),
    ),
  ),
  nack: swim(fc.record({ kind: fc.constant("nack" as const), seq: u16 })),
  pingReq: swim(
    fc.record({
      kind: fc.constant("pingReq" as const),
      seq: u16,
      source: u32,
      targetHi: u16,
      target: u32,
    }),
  ),
  gossip: swim(
    withNews(fc.record({ kind: fc.constant("gossip" as const), flags: u8, source: u32 })),
  ),
  memberDigest: swim(anyDigests),
  memberGroups: swim(anyGroups),
  join: swim(withNews(fc.record({ kind: fc.constant("join" as const) }))),
  joinReply: swim(
    withNews(fc.record({ kind: fc.constant("joinReply" as const), flags: u8, source: u32 })),
  ),
  push: gossip({
    any: fc.record({ type: typed("push"), hops: u8, chunk: anySealedChunk }),
    encode: ({ chunk, hops }) => encodePush(chunk, hops),
  }),
  ihave: gossip({
    any: fc.record({
      type: typed("ihave"),
      have: fc.array(
        fc.tuple(anyRef, u16).map(([ref, ageMs]) => ({ ...ref, ageMs })),
        { maxLength: 6 },
      ),
    }),
    encode: ({ have }) => {
      const nowMs = 100_000;
      return encodeIhave(
        nowMs,
        have.map(({ ageMs, ...ref }) => ({ ...ref, atMs: nowMs - ageMs })),
      );
    },
  }),
  graft: gossip({
    any: fc.record({ type: typed("graft"), refs: fc.array(anyRef, { maxLength: 6 }) }),
    encode: ({ refs }) => encodeGraft(refs),
  }),
  prune: gossip({ any: fc.record({ type: typed("prune") }), encode: () => encodePrune() }),
  syncDigest: sync(
    fc.record({
      type: typed("digest"),
      holdings: hash,
      state: hash,
      schema: hash,
      quarantined: fc.boolean(),
      reply: fc.boolean(),
      news: fc.boolean(),
    }),
  ),
  syncSummary: sync(fc.oneof(anyAsk, anyTell)),
  syncRequest: sync(
    fc.record({
      type: typed("request"),
      id: count,
      maxBytes: count,
      wants: fc.array(anyWant, { maxLength: 5 }),
    }),
  ),
  syncChunks: sync(
    fc.record({
      type: typed("chunks"),
      id: count,
      chunks: fc.array(anyChunk, { maxLength: 4 }),
    }),
  ),
  sealedChunks: sync(
    fc.record({
      type: typed("chunks"),
      id: count,
      chunks: fc.array(anySealedChunk, { minLength: 1, maxLength: 4 }).filter(hasSeals),
    }),
  ),
  syncDone: sync(
    fc.record({
      type: typed("done"),
      id: count,
      failed: fc.boolean(),
      overwritten: fc.array(
        anyWant.map(({ actor, from, to }) => ({ actor, from, to })),
        { maxLength: 5 },
      ),
      rest: fc.array(anyWant, { maxLength: 5 }),
    }),
  ),
  rangeDigest: sync(anyRepair),
  rowStates: sync(anyRowStates),
};
