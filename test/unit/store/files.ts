/** Stores in files of a directory of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { actorId, type NodeId } from "../../../core/base/ids.ts";
import { SqliteStore, type SqliteStoreOptions } from "../../../runtime/store/sqlite-store.ts";

export interface StoreFiles {
  path(name: string): string;
  remove(name: string): void;
  /** @param letter of which actor and node id are made. Closed after the test, if it still is open. */
  open(letter: string, more?: Partial<SqliteStoreOptions>): SqliteStore;
}

/** To be called inside `describe`. */
export function storeFiles(schema: SqliteStoreOptions["schema"]): StoreFiles {
  let directory = "";
  let stores: SqliteStore[] = [];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "patina-store-"));
  });
  afterEach(() => {
    for (const store of stores) store.abandon();
    stores = [];
    rmSync(directory, { recursive: true, force: true });
  });
  const path = (name: string) => join(directory, name);
  return {
    path,
    remove: (name) => rmSync(path(name), { force: true }),
    open(letter, more = {}) {
      const id = letter.repeat(32);
      const options = { path: path("state.db"), actor: actorId(id), node: id as NodeId, schema };
      const store = new SqliteStore({ ...options, ...more });
      stores.push(store);
      return store;
    },
  };
}
