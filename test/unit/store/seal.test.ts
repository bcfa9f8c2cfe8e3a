/** Signing at the moment of commit, credentials, and databases from before there were any. */
import Database from "better-sqlite3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Chunk } from "../../../core/node/store.ts";
import { layoutVersion } from "../../../runtime/store/layout.ts";
import { toLayout2 } from "./old-layouts.ts";
import { sql, storeMaker } from "./stores.ts";

const schema = ["CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT)"];

describe("seals of the SQLite store", () => {
  const open = storeMaker();
  const folder = mkdtempSync(join(tmpdir(), "patina-seal-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("BK34: what this node writes is sealed chunk by chunk, with all that tells the chunk", () => {
    const asked: Chunk[] = [];
    const sealer = {
      seal(chunk: Chunk) {
        asked.push(chunk);
        return Uint8Array.of(asked.length);
      },
    };
    const store = open("a", schema, { sealer, chunkBytes: 1 });
    const chunks = sql(store, "INSERT INTO kv VALUES ('a', 'x'), ('b', 'y')");
    expect(chunks.map(({ seal }) => seal)).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
    expect(chunks).toMatchObject(asked);
    const served = store.serve([{ actor: store.actor, from: 1, to: 1 }], 1e9).chunks;
    expect(served).toEqual(chunks);
    store.setSealer(null);
    expect(sql(store, "INSERT INTO kv VALUES ('c', 'z')")[0]).not.toHaveProperty("seal");
  });

  test("BK34: a transaction whose seal cannot be made leaves nothing behind", () => {
    const sealer = {
      seal() {
        throw new Error("no key");
      },
    };
    const store = open("a", schema, { sealer });
    expect(() => sql(store, "INSERT INTO kv VALUES ('a', 'x')")).toThrow("no key");
    store.setSealer(null);
    expect([...store.rows("kv")]).toEqual([]);
    expect(sql(store, "INSERT INTO kv VALUES ('a', 'x')")[0]).toMatchObject({ version: 1 });
  });

  test("BK31: credentials are found again, one a key", () => {
    const path = join(folder, "credentials.db");
    const first = open("a", schema, { path });
    first.saveCredential(Uint8Array.of(1), Uint8Array.of(10));
    first.saveCredential(Uint8Array.of(2), Uint8Array.of(20));
    first.saveCredential(Uint8Array.of(1), Uint8Array.of(11));
    first.close();
    const again = open("a", schema, { path });
    expect(again.credentials().map((bytes) => [...bytes])).toEqual([[11], [20]]);
  });

  test("BK31: a database from before seals gets room for them, and keeps what it has", () => {
    const path = join(folder, "old.db");
    const first = open("a", schema, { path, chunkBytes: 1 });
    sql(first, "INSERT INTO kv VALUES ('a', 'x'), ('b', 'y')");
    const chunks = sql(first, "INSERT INTO kv VALUES ('c', 'z')");
    first.close();
    const old = new Database(path);
    toLayout2(old);
    for (const table of ["patina_log", "patina_chunk", "patina_part"]) {
      old.exec(`ALTER TABLE ${table} DROP COLUMN seal`);
    }
    old.exec("DROP TABLE patina_credential");
    old.pragma("user_version = 1");
    old.close();
    const sealer = { seal: () => Uint8Array.of(5) };
    const store = open("a", schema, { path, sealer });
    expect(store.check()).toEqual([]);
    expect(store.serve([{ actor: store.actor, from: 2, to: 2 }], 1e9).chunks).toEqual(chunks);
    expect(sql(store, "INSERT INTO kv VALUES ('d', 'z')")[0]?.seal).toEqual(Uint8Array.of(5));
    store.close();
    const now = new Database(path, { readonly: true });
    expect(now.pragma("user_version", { simple: true })).toBe(layoutVersion);
    now.close();
  });
});
