/** Scenarios on real database files: the same trace, byte for byte, as on stores in memory. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sqliteStores } from "../../runtime/store/sqlite-disk.ts";
import { createRun } from "../../sim/run.ts";
import { buildScenario, builtIns } from "../../sim/scenarios/built-in.ts";
import type { StoreFactory } from "../../sim/store-factory.ts";
import { memoryStores } from "../../sim/store/memory-disk.ts";

/** The quickest of each kind; PATINA_ALL_SCENARIOS=1 runs all, which takes minutes. */
const quick = [
  "bit-rot",
  "born-apart",
  "crash-lost",
  "crash-torn",
  "hostile-peer",
  "large-transaction",
  "leave-and-return",
  "minority-islands",
  "random-nemesis",
];
const chosen = builtIns.filter(
  ({ name }) => process.env["PATINA_ALL_SCENARIOS"] === "1" || quick.includes(name),
);

test.each(chosen.map((builtIn) => [builtIn.name, builtIn] as const))("SI15: %s", (_, builtIn) => {
  const hashOn = (storeFactory: StoreFactory): string => {
    const hash = createHash("sha256");
    const trace = (line: string) => hash.update(line);
    const run = createRun(buildScenario(builtIn), { seed: "stores", storeFactory, trace });
    run.step(Infinity);
    expect(run.result().violations).toEqual([]);
    return hash.digest("hex");
  };
  const stores = sqliteStores();
  try {
    expect(hashOn(stores)).toBe(hashOn(memoryStores()));
  } finally {
    stores.dispose();
  }
});
