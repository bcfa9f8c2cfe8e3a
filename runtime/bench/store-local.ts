/** Local workloads of `npm run bench store`: inserts, updates and deletes in transactions of several sizes, and the size on disk. */
import type { Value } from "../../core/crdt/value.ts";
import type { Subject } from "./store-subjects.ts";

/** An integer key and four columns, some 59 bytes a row in plain SQLite. */
export const integerTable =
  "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT, b INTEGER, c TEXT, d REAL)";
const textTable =
  "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT, b INTEGER, c TEXT, d REAL)";

/** Microseconds of CPU a row, by workload. */
export type Measures = Map<string, number>;

export interface LocalCase {
  readonly keys: "integer" | "text";
  readonly rows: number;
  readonly perTransaction: number;
}

export function rowOf(i: number): Value[] {
  return [i, `name of ${i}`, (i * 7919) % 100_003, `a few words of text ${i % 97}`, i * 0.5 + 0.25];
}

/** A key as programs make them: long, and in no order. */
export function textKey(i: number): string {
  return `svc-${(Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0")}-${i}`;
}

/** 1..n in an order that is the same every time. */
export function shuffled(n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i + 1);
  let state = 12_345;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** CPU microseconds of all threads. */
export function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

export function measureLocal(subject: Subject, path: string, local: LocalCase): Measures {
  const { keys, rows, perTransaction } = local;
  const session = subject.open(path, keys === "integer" ? integerTable : textTable);
  const key = (i: number): Value => (keys === "integer" ? i : textKey(i));
  const inOrder = Array.from({ length: rows }, (_, i) => i + 1);
  const mixed = shuffled(rows);
  const batches = (list: readonly number[], sql: string, of: (i: number) => readonly Value[]) => {
    for (let from = 0; from < list.length; from += perTransaction) {
      const to = Math.min(from + perTransaction, list.length);
      session.transaction((run) => {
        for (let i = from; i < to; i++) run(sql, of(list[i] as number));
      });
    }
  };
  const measures: Measures = new Map();
  const measure = (name: string, count: number, work: () => void) => {
    const label = `${name}, ${perTransaction.toLocaleString("en")} a transaction${keys === "text" ? ", text keys" : ""}`;
    measures.set(label, cpuOf(work) / count);
  };
  measure("insert", rows, () => {
    batches(inOrder, "INSERT INTO t VALUES (?, ?, ?, ?, ?)", (i) => [key(i), ...rowOf(i).slice(1)]);
  });
  const label = `${perTransaction.toLocaleString("en")} a transaction${keys === "text" ? ", text keys" : ""}`;
  measures.set(`size on disk (B/row), ${label}`, session.sizeBytes() / rows);
  measure("update one column", rows, () => {
    batches(mixed, "UPDATE t SET b = ? WHERE id = ?", (i) => [i + 1_000_000, key(i)]);
  });
  measures.set(`size after updates (B/row), ${label}`, session.sizeBytes() / rows);
  measure("delete", rows / 2, () => {
    batches(inOrder.slice(0, rows / 2), "DELETE FROM t WHERE id = ?", (i) => [key(i)]);
  });
  session.sizeBytes();
  session.vacuum();
  measures.set(
    `size after deleting half and VACUUM (B/row left), ${label}`,
    session.sizeBytes() / (rows / 2),
  );
  session.close();
  return measures;
}
