/** Leads a store through the history, as fast as it can, until it is killed; says each step once it is done. */
import { writeSync } from "node:fs";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { chunkBytes, here, History, schema, stepsOf } from "./store-history.ts";

const store = new SqliteStore({
  path: process.argv[2] as string,
  actor: here,
  schema,
  chunkBytes,
  versionsPerPack: 2,
});
const history = new History();
for (let step = stepsOf(store); ; step++) {
  history.take(store, step);
  writeSync(1, `${step + 1}\n`);
}
