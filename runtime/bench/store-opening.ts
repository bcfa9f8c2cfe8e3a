/** What it takes to open a large database: a process of its own opens one and says so. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { actorId } from "../../core/base/ids.ts";
import { formatBytes, median } from "../cli/format.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { integerTable, rowOf } from "./store-local.ts";

interface Opened {
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly rows: number;
}

const perTransaction = 10_000;

export async function measureOpening(directory: string, rows: number, reps: number): Promise<void> {
  const path = `${directory}/large.db`;
  const store = new SqliteStore({ path, actor: actorId("a".repeat(32)), schema: [integerTable] });
  for (let from = 1; from <= rows; from += perTransaction) {
    store.transact(1_780_000_000_000 + from, (transaction) => {
      for (let i = from; i < Math.min(from + perTransaction, rows + 1); i++) {
        transaction.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rowOf(i));
      }
    });
  }
  store.close();
  const opened = Array.from({ length: reps }, () => openOnce(path));
  const cpuMs = median(opened.map((one) => one.cpuMs));
  const heapBytes = median(opened.map((one) => one.heapBytes));
  process.stdout.write(
    `opening ${opened[0]?.rows.toLocaleString("en")} rows: ${cpuMs.toFixed(1)} ms of CPU, ${formatBytes(heapBytes)} of memory more than before\n`,
  );
}

function openOnce(path: string): Opened {
  const script = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, path], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Opened;
}

function openHere(path: string): Opened {
  const memory = process.memoryUsage().rss;
  const before = process.cpuUsage();
  const store = new SqliteStore({ path, actor: actorId("b".repeat(32)), schema: [integerTable] });
  const { rows } = store.summary();
  const { user, system } = process.cpuUsage(before);
  const heapBytes = process.memoryUsage().rss - memory;
  store.abandon();
  return { cpuMs: (user + system) / 1000, heapBytes, rows };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(openHere(process.argv[2] as string)));
}
