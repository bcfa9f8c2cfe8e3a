/** Group commit: transactions of one row, committed alone or many together, with and without waiting for the disk. */
import { actorId } from "../../core/base/ids.ts";
import { formatTable } from "../cli/format.ts";
import type { LocalTransaction } from "../store/local-transaction.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { cpuOf, integerTable, rowOf } from "./store-local.ts";
import { removeDatabase } from "./store-subjects.ts";

const sizes = [1, 8, 64];

/** @param count transactions of each measurement. */
export function measureGroups(directory: string, count: number): void {
  const lines = (["full", "normal"] as const).flatMap((synchronous) =>
    sizes.map((size) => {
      const { wallUs, cpuUs } = measure(`${directory}/group.db`, synchronous, size, count);
      return [`synchronous = ${synchronous}, ${size} at once`, wallUs.toFixed(1), cpuUs.toFixed(1)];
    }),
  );
  const head = ["group commit, a transaction of one row", "µs", "µs of CPU"];
  process.stdout.write(`${formatTable([head, ...lines], ["left", "right", "right"]).join("\n")}\n`);
}

function measure(
  path: string,
  synchronous: "full" | "normal",
  size: number,
  count: number,
): { readonly wallUs: number; readonly cpuUs: number } {
  removeDatabase(path);
  const store = new SqliteStore({
    path,
    actor: actorId("a".repeat(32)),
    schema: [integerTable],
    synchronous,
  });
  const body = (i: number) => (transaction: LocalTransaction) => {
    transaction.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rowOf(i));
  };
  const began = performance.now();
  const cpuUs = cpuOf(() => {
    for (let from = 1; from <= count; from += size) {
      const bodies = Array.from({ length: size }, (_, k) => body(from + k));
      for (const { type } of store.commitGroup(1_780_000_000_000 + from, bodies)) {
        if (type !== "committed") throw new Error("a transaction of the bench failed");
      }
    }
  });
  const wallUs = (performance.now() - began) * 1000;
  store.close();
  return { wallUs: wallUs / count, cpuUs: cpuUs / count };
}
