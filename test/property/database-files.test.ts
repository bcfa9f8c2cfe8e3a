/**
 * Damaged database files: cut short, with bits turned, with pieces overwritten or swapped. Whatever it
 * is, a store says in a line that it cannot be used, or hands out nothing but what it was given. That
 * a version has no content any more which had, it says only where the check finds the damage: peers
 * that check signatures do not take it from one alone (`marker-witness.ts`).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Chunk, Served } from "../../core/node/store.ts";
import { SchemaRefusedError } from "../../runtime/store/apply-schema.ts";
import { StoreOpenError } from "../../runtime/store/open-database.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { StoreError } from "../../runtime/store/store-error.ts";
import { chunkBytes, here, History, schema } from "../integration/store-history.ts";

type Damage =
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "bits"; readonly at: readonly (readonly [byte: number, bit: number])[] }
  | { readonly kind: "noise"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "zeroes"; readonly at: number; readonly length: number }
  | { readonly kind: "swap"; readonly a: number; readonly b: number };

const pageBytes = 4096;
const folder = mkdtempSync(join(tmpdir(), "patina-damaged-"));
const path = join(folder, "state.db");
let whole: Buffer;
let content: ReadonlyMap<string, Chunk>;
/** "actor version" of what had no content any more. */
let marked: ReadonlySet<string>;

const open = (): SqliteStore =>
  new SqliteStore({ path, actor: here, schema, chunkBytes, versionsPerPack: 16 });
const nameOf = ({ actor, version, index }: Chunk): string => `${actor} ${version} ${index}`;

function everything(store: SqliteStore): Served {
  const wants = store.holdings().map(({ actor, head }) => ({ actor, from: 1, to: head }));
  return store.serve(wants, Number.MAX_SAFE_INTEGER);
}

function* versionsOf({ overwritten }: Served): Generator<string> {
  for (const { actor, from, to } of overwritten) {
    // A damaged book may name any number of them.
    for (let version = from; version <= Math.min(to, from + 10_000); version++) {
      yield `${actor} ${version}`;
    }
  }
}

beforeAll(() => {
  const [store, history] = [open(), new History()];
  for (let step = 0; step < 150; step++) history.take(store, step);
  const served = everything(store);
  content = new Map(served.chunks.map((chunk) => [nameOf(chunk), chunk]));
  marked = new Set(versionsOf(served));
  store.close();
  whole = readFileSync(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function damaged(damage: Damage): Buffer {
  const bytes = Buffer.from(whole);
  const place = (at: number): number => at % bytes.length;
  switch (damage.kind) {
    case "cut":
      return bytes.subarray(0, place(damage.at));
    case "bits":
      for (const [at, bit] of damage.at)
        bytes[place(at)] = (bytes[place(at)] as number) ^ (1 << bit);
      return bytes;
    case "noise":
      bytes.set(damage.bytes.subarray(0, bytes.length - place(damage.at)), place(damage.at));
      return bytes;
    case "zeroes":
      return bytes.fill(
        0,
        place(damage.at),
        Math.min(bytes.length, place(damage.at) + damage.length),
      );
    case "swap": {
      const pages = bytes.length / pageBytes;
      const [a, b] = [(damage.a % pages) * pageBytes, (damage.b % pages) * pageBytes];
      const kept = Buffer.from(bytes.subarray(a, a + pageBytes));
      bytes.copyWithin(a, b, b + pageBytes);
      kept.copy(bytes, b);
      return bytes;
    }
  }
}

/** What was wrongly done with a damaged file; null: nothing was. */
function harm(bytes: Buffer): string | null {
  for (const beside of ["-wal", "-shm"]) rmSync(path + beside, { force: true });
  writeFileSync(path, bytes);
  let store: SqliteStore | null = null;
  try {
    store = open();
    const served = everything(store);
    for (const chunk of served.chunks) {
      const given = content.get(nameOf(chunk));
      if (given === undefined) return `${nameOf(chunk)} was never given`;
      if (!same(given, chunk)) return `${nameOf(chunk)} is other than it was given`;
    }
    const problems = store.check();
    for (const version of versionsOf(served)) {
      if (!marked.has(version) && problems.length === 0) {
        return `${version} is said to have no content any more, and nothing is found wrong`;
      }
    }
    return null;
  } catch (error) {
    // The schema files are held against what the file has for a schema.
    if (error instanceof SchemaRefusedError) return null;
    if (!(error instanceof StoreOpenError || error instanceof StoreError)) {
      return `${(error as Error).name}: ${(error as Error).stack ?? ""}`;
    }
    return error.message.includes("\n") ? `not one line: ${error.message}` : null;
  } finally {
    store?.abandon();
  }
}

function same(a: Chunk, b: Chunk): boolean {
  return (
    a.count === b.count &&
    a.hlc.ms === b.hlc.ms &&
    a.hlc.counter === b.hlc.counter &&
    Buffer.compare(a.payload, b.payload) === 0
  );
}

const runs = process.env["PATINA_FUZZ_RUNS"];
const place = fc.nat(0x7fff_ffff);
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: place }),
  fc.record({
    kind: fc.constant("bits" as const),
    at: fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 30 }),
  }),
  fc.record({
    kind: fc.constant("noise" as const),
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
  }),
  fc.record({ kind: fc.constant("zeroes" as const), at: place, length: fc.nat(9000) }),
  fc.record({ kind: fc.constant("swap" as const), a: place, b: place }),
);

describe("a damaged file", () => {
  test("BK24: is refused, or harms nobody", () => {
    expect(harm(whole)).toBeNull();
    fc.assert(
      fc.property(damage, (one) => {
        expect(harm(damaged(one))).toBeNull();
      }),
      // The same each time; PATINA_FUZZ_RUNS looks further.
      runs === undefined ? { numRuns: 60, seed: 7 } : { numRuns: Number(runs) },
    );
  });

  test("BK24: of nothing but noise is refused", () => {
    fc.assert(
      // SQLite takes a file without one whole page for an empty database.
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 20_000 }), (bytes) => {
        expect(harm(Buffer.from(bytes))).toBeNull();
        expect(open).toThrow(StoreOpenError);
      }),
      { numRuns: 20 },
    );
  });
});
