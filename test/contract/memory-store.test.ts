import { expect, test } from "vitest";
import { memoryStores } from "../../sim/store/memory-disk.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { alice } from "./authors.ts";
import { diskContract } from "./disk-contract.ts";
import { checkedTable, storeContract } from "./store-contract.ts";

storeContract("memory", {
  open: (options) => new MemoryStore(options),
  openChecked: (actor) => {
    const check = {
      name: "budget",
      table: "budget",
      holds: ({ a, b }: Readonly<Record<string, unknown>>) => Number(a) + Number(b) <= 10,
    };
    const store = new MemoryStore({ actor, schema: [checkedTable], checks: [check] });
    return { store, broken: () => store.brokenChecks().map(({ key }) => key) };
  },
});

diskContract("memory", () => memoryStores());

test.each([
  ["CHECK (v <> '')", "v CHECK (v <> '')"],
  ["UNIQUE", "v UNIQUE"],
  ["REFERENCES t (k)", "v REFERENCES t (k)"],
  ["AS (k || 'x')", "v AS (k || 'x')"],
])("CR15: the store in memory refuses what only SQLite can keep: %s", (constraint, text) => {
  const schema = [`CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v TEXT ${constraint})`];
  expect(() => new MemoryStore({ actor: alice, schema })).toThrow(
    `table t: only the SQLite store keeps ${text}; leave it out or run with it`,
  );
});
