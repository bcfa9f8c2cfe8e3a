import { afterAll } from "vitest";
import { type SqliteStores, sqliteStores } from "../../runtime/store/sqlite-disk.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { diskContract } from "./disk-contract.ts";
import { checkedTable, storeContract } from "./store-contract.ts";

storeContract("SQLite", {
  open: (options) => new SqliteStore({ versionsPerPack: 2, ...options, path: ":memory:" }),
  openChecked: (actor) => {
    const store = new SqliteStore({ actor, schema: [checkedTable], path: ":memory:" });
    return { store, broken: () => store.conflicts().map(({ key }) => key) };
  },
});

const factories: SqliteStores[] = [];
afterAll(() => factories.forEach((factory) => factory.dispose()));

diskContract("sqlite", () => {
  const factory = sqliteStores();
  factories.push(factory);
  return factory;
});
