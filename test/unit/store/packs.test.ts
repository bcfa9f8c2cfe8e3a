/** Small versions that are stored many to a row, and the counts of what stems from each. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Chunk } from "../../../core/node/store.ts";
import { layoutVersion } from "../../../runtime/store/layout.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { storeFiles } from "./files.ts";
import { toLayout2 } from "./old-layouts.ts";
import { fullState, sql, storeMaker, sync } from "./stores.ts";

const schema = ["CREATE TABLE kv (k INTEGER NOT NULL PRIMARY KEY, v TEXT)"];

/** `count` versions of one row each. */
function fill(store: SqliteStore, count: number, from = 1): Chunk[] {
  return Array.from({ length: count }, (_, i) =>
    sql(store, ["INSERT INTO kv VALUES (?, ?)", from + i, `value ${from + i}`]),
  ).flat();
}

function served(store: SqliteStore, from: number, to: number) {
  const { chunks, overwritten } = store.serve([{ actor: store.actor, from, to }], 1e9);
  return { chunks: [...chunks].sort((a, b) => a.version - b.version), overwritten };
}

function counted(path: string, table: string): unknown {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  } finally {
    db.close();
  }
}

describe("small versions of the log", () => {
  const files = storeFiles(schema);
  const open = storeMaker();

  test("BK26: come into packs of their own, and are served byte for byte as they were written", () => {
    const store = files.open("a", { versionsPerPack: 4 });
    const chunks = fill(store, 10);
    store.checkpoint();
    expect(counted(files.path("state.db"), "patina_pack")).toBe(2);
    expect(counted(files.path("state.db"), "patina_log")).toBe(2);
    expect(served(store, 1, 10)).toEqual({ chunks, overwritten: [] });
    expect(served(store, 4, 6).chunks).toEqual(chunks.slice(3, 6));
    expect(store.check()).toEqual([]);
    store.close();
    const again = files.open("a", { versionsPerPack: 4 });
    expect(served(again, 1, 10).chunks).toEqual(chunks);
    // Those that were left over are packed with what comes after them.
    chunks.push(...fill(again, 2, 11));
    again.checkpoint();
    expect(counted(files.path("state.db"), "patina_log")).toBe(0);
    expect(served(again, 1, 12).chunks).toEqual(chunks);
    expect(again.check()).toEqual([]);
  });

  test("BK34: keep their seals", () => {
    const sealer = { seal: ({ version }: Chunk) => new Uint8Array(64).fill(version) };
    const store = open("a", schema, { sealer, versionsPerPack: 3 });
    const chunks = fill(store, 7);
    store.checkpoint();
    expect(chunks[1]?.seal).toEqual(new Uint8Array(64).fill(2));
    expect(served(store, 1, 7).chunks).toEqual(chunks);
  });

  test("BK27: shrink one by one to markers, and a pack of which little is left is made smaller", () => {
    const store = files.open("a", { versionsPerPack: 8 });
    const chunks = fill(store, 16);
    store.checkpoint();
    const bytes = () => {
      const db = new Database(files.path("state.db"), { readonly: true });
      const sizes = db.prepare("SELECT length(content) FROM patina_pack ORDER BY id").pluck().all();
      db.close();
      return sizes as number[];
    };
    const before = bytes();
    sql(store, "DELETE FROM kv WHERE k IN (2, 5, 9, 10, 11, 12, 13, 14, 15, 16)");
    store.checkpoint();
    const kept = [1, 3, 4, 6, 7, 8];
    expect(served(store, 1, 16)).toEqual({
      chunks: chunks.filter(({ version }) => kept.includes(version)),
      overwritten: [
        [9, 16],
        [5, 5],
        [2, 2],
      ].map(([from, to]) => ({ actor: store.actor, from, to })),
    });
    expect(bytes()).toEqual([before[0]]);
    sql(store, "DELETE FROM kv WHERE k IN (1, 3, 4, 8)");
    store.checkpoint();
    expect(bytes()[0]).toBeLessThan(before[0] as number);
    expect(served(store, 1, 8).chunks).toEqual([chunks[5], chunks[6]]);
    expect(store.check()).toEqual([]);
    store.close();
    const again = files.open("a", { versionsPerPack: 8 });
    expect(served(again, 1, 8).chunks).toEqual([chunks[5], chunks[6]]);
    expect(again.check()).toEqual([]);
  });

  test("BK27: one that is overwritten before it comes into a pack comes into none", () => {
    const store = open("a", schema, { versionsPerPack: 4 });
    fill(store, 3);
    sql(store, "UPDATE kv SET v = 'newer' WHERE k = 2");
    sql(store, "DELETE FROM kv WHERE k = 2");
    store.checkpoint();
    fill(store, 9, 10);
    store.checkpoint();
    const { overwritten } = served(store, 1, 14);
    expect(overwritten).toEqual([
      { actor: store.actor, from: 4, to: 4 },
      { actor: store.actor, from: 2, to: 2 },
    ]);
    expect(store.check()).toEqual([]);
  });

  test("CR12: of several authors lie together, and rows that stem from them are merged and repaired", () => {
    const [a, b, c] = ["a", "b", "c"].map((letter) => open(letter, schema, { versionsPerPack: 3 }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three stores");
    for (let round = 0; round < 5; round++) {
      fill(a, 1, 10 * round);
      fill(b, 1, 10 * round + 5);
      sync(a, c);
      sync(b, c);
    }
    c.checkpoint();
    sql(c, "UPDATE kv SET v = 'c' WHERE k % 2 = 0");
    for (const store of [a, b]) {
      sync(c, store);
      store.checkpoint();
    }
    sync(a, b);
    sync(b, a);
    expect(fullState(a)).toEqual(fullState(c));
    expect(fullState(b)).toEqual(fullState(c));
    const everything = new Uint8Array(0);
    const d = open("d", schema, { versionsPerPack: 3 });
    d.receive(1_780_000_000_000, served(a, 1, 5).chunks, []);
    d.checkpoint();
    const { rows } = c.readRows("kv", everything, everything, 1e9);
    expect(d.mergeRows(1_780_000_000_000, rows).changed).toBeGreaterThan(0);
    expect(fullState(d)).toEqual(fullState(c));
    for (const store of [a, b, c, d]) expect(store.check()).toEqual([]);
  });

  test("BK31: damage to a pack is told when one of its versions is asked for, and found by a check", () => {
    const store = files.open("a", { versionsPerPack: 2 });
    fill(store, 4);
    store.close();
    const db = new Database(files.path("state.db"));
    db.exec("UPDATE patina_pack SET content = zeroblob(length(content)) WHERE id = 1");
    db.close();
    const again = files.open("a", { versionsPerPack: 2 });
    expect(again.check().map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^version 1 of a+: the content of the versions packed from log row 1 /),
    );
    expect(served(again, 3, 4).chunks.length).toBe(2);
    expect(() => served(again, 1, 1)).toThrow(/damaged/);
  });

  test("BK31: a database from before packs keeps what it has, and packs what comes", () => {
    const first = files.open("a");
    const chunks = fill(first, 6);
    sql(first, "UPDATE kv SET v = 'newer' WHERE k < 3");
    sql(first, "DELETE FROM kv WHERE k = 6");
    const state = fullState(first);
    first.close();
    const old = new Database(files.path("state.db"));
    toLayout2(old);
    old.close();
    const store = files.open("a", { versionsPerPack: 2 });
    expect(fullState(store)).toEqual(state);
    expect(store.check()).toEqual([]);
    expect(served(store, 1, 5).chunks).toEqual(chunks.slice(0, 5));
    fill(store, 4, 7);
    store.checkpoint();
    expect(served(store, 6, 6).overwritten.length).toBe(1);
    expect(counted(files.path("state.db"), "patina_pack")).toBe(2);
    expect(store.check()).toEqual([]);
    store.close();
    const now = new Database(files.path("state.db"), { readonly: true });
    expect(now.pragma("user_version", { simple: true })).toBe(layoutVersion);
    now.close();
  });

  test("BK27: counts of any size are kept", () => {
    const store = files.open("a", { versionsPerPack: 4 });
    fill(store, 3);
    const many = Array.from({ length: 70_000 }, (_, i) => `(${i + 100}, 'x')`).join(", ");
    sql(store, `INSERT INTO kv VALUES ${many}`);
    fill(store, 300, 100_000);
    sql(store, "DELETE FROM kv WHERE k < 100 OR k BETWEEN 200 AND 60000");
    store.close();
    const again = files.open("a", { versionsPerPack: 4 });
    expect(again.check()).toEqual([]);
    sql(again, "DELETE FROM kv");
    again.checkpoint();
    expect(again.check()).toEqual([]);
    expect(counted(files.path("state.db"), "patina_pack")).toBe(0);
  });
});
