/**
 * Remote workloads of `npm run bench store`: merging another node's changes, and exporting one's
 * own. Versions hold 100 rows of four cells each. For the extension changes are rows of
 * `crsql_changes`, merged 400 to a transaction; for Patina they are versions, one to a call. Its
 * export ends with the bytes that go to a peer; the extension's is only read.
 */
import type { Chunk } from "../../core/node/store.ts";
import { writeChunk } from "../../core/wire/chunk.ts";
import { Writer } from "../../core/wire/writer.ts";
import type { SqliteStore } from "../store/sqlite-store.ts";
import { cpuOf, integerTable, type Measures, rowOf, shuffled } from "./store-local.ts";
import { closeExtension, openExtension, openPatina, stamper } from "./store-subjects.ts";

const rowsPerVersion = 100;
const columns = 4;

export const mergeLabels = {
  fresh: "merge of new changes (cells)",
  shuffled: "merge, shuffled (cells)",
  newer: "merge of a newer value (cells)",
  duplicates: "merge of duplicates (cells)",
  export: "export (cells)",
} as const;

export function measurePatinaMerge(directory: string, rows: number): Measures {
  const source = openPatina(`${directory}/source.db`, integerTable, "a");
  fill(source, rows);
  const measures: Measures = new Map();
  const cells = rows * columns;
  let versions: Chunk[][] = [];
  const exported = cpuOf(() => {
    versions = exportAll(source);
  });
  measures.set(mergeLabels.export, exported / cells);
  const target = openPatina(`${directory}/target.db`, integerTable, "b");
  const ordered = [...versions].reverse();
  measures.set(mergeLabels.fresh, cpuOf(() => receiveAll(target, ordered)) / cells);
  measures.set(mergeLabels.duplicates, cpuOf(() => receiveAll(target, ordered)) / cells);
  const other = openPatina(`${directory}/other.db`, integerTable, "c");
  const mixed = shuffled(ordered.length).map((n) => ordered[n - 1] as Chunk[]);
  measures.set(mergeLabels.shuffled, cpuOf(() => receiveAll(other, mixed)) / cells);
  const held = source.holdings()[0]?.head ?? 0;
  touch(source, rows);
  const newer = exportAll(source, held + 1).reverse();
  measures.set(mergeLabels.newer, cpuOf(() => receiveAll(target, newer)) / rows);
  if (source.summary().hash !== target.summary().hash) throw new Error("the two stores differ");
  for (const store of [source, target, other]) store.close();
  return measures;
}

function fill(store: SqliteStore, rows: number): void {
  for (let from = 1; from <= rows; from += rowsPerVersion) {
    store.transact(1_780_000_000_000 + from, (transaction) => {
      for (let i = from; i < from + rowsPerVersion; i++) {
        transaction.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rowOf(i));
      }
    });
  }
}

function touch(store: SqliteStore, rows: number): void {
  const perVersion = rowsPerVersion * columns;
  const mixed = shuffled(rows);
  for (let from = 0; from < rows; from += perVersion) {
    store.transact(1_790_000_000_000 + from, (transaction) => {
      for (const i of mixed.slice(from, from + perVersion)) {
        transaction.run("UPDATE t SET b = ? WHERE id = ?", [i + 1_000_000, i]);
      }
    });
  }
}

/** All versions from `first` on, newest first, each also encoded as it goes to a peer. */
function exportAll(store: SqliteStore, first = 1): Chunk[][] {
  const versions: Chunk[][] = [];
  const writer = new Writer(1024 * 1024);
  const { actor } = store;
  const head = store.holdings()[0]?.head ?? 0;
  let wants: readonly { actor: typeof actor; from: number; to: number }[] = [
    { actor, from: first, to: head },
  ];
  while (wants.length > 0) {
    const served = store.serve(wants, 256 * 1024);
    writer.reset();
    for (const chunk of served.chunks) {
      writeChunk(writer, chunk);
      if (chunk.index === 0) versions.push([chunk]);
      else (versions.at(-1) as Chunk[]).push(chunk);
    }
    writer.finish();
    wants = served.rest;
  }
  return versions;
}

function receiveAll(store: SqliteStore, versions: readonly Chunk[][]): void {
  for (const chunks of versions) store.receive(1_800_000_000_000, chunks, []);
}

type ChangeRow = unknown[];

export function measureExtensionMerge(directory: string, rows: number, library: string): Measures {
  const source = openExtension(`${directory}/source.db`, integerTable, library);
  const stamp = stamper(source);
  const insert = source.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)");
  for (let from = 1; from <= rows; from += rowsPerVersion) {
    source.transaction(() => {
      stamp();
      for (let i = from; i < from + rowsPerVersion; i++) insert.run(rowOf(i));
    })();
  }
  const measures: Measures = new Map();
  const cells = rows * columns;
  const select = source.prepare(
    'SELECT "table", pk, cid, val, col_version, db_version, site_id, cl, seq, ts FROM crsql_changes WHERE db_version > ? ORDER BY db_version, seq',
  );
  let changes: ChangeRow[] = [];
  const exported = cpuOf(() => {
    changes = select.raw().all(0) as ChangeRow[];
  });
  measures.set(mergeLabels.export, exported / cells);
  const target = openExtension(`${directory}/target.db`, integerTable, library);
  measures.set(mergeLabels.fresh, cpuOf(() => applyChanges(target, changes)) / cells);
  measures.set(mergeLabels.duplicates, cpuOf(() => applyChanges(target, changes)) / cells);
  const other = openExtension(`${directory}/other.db`, integerTable, library);
  const mixed = shuffled(changes.length).map((n) => changes[n - 1] as ChangeRow);
  measures.set(mergeLabels.shuffled, cpuOf(() => applyChanges(other, mixed)) / cells);
  const held = source.prepare("SELECT crsql_db_version()").pluck().get();
  const update = source.prepare("UPDATE t SET b = ? WHERE id = ?");
  const order = shuffled(rows);
  for (let from = 0; from < rows; from += rowsPerVersion * columns) {
    source.transaction(() => {
      stamp();
      for (const i of order.slice(from, from + rowsPerVersion * columns))
        update.run(i + 1_000_000, i);
    })();
  }
  const newer = select.raw().all(held) as ChangeRow[];
  measures.set(mergeLabels.newer, cpuOf(() => applyChanges(target, newer)) / rows);
  for (const db of [source, target, other]) closeExtension(db);
  return measures;
}

function applyChanges(db: ReturnType<typeof openExtension>, changes: readonly ChangeRow[]): void {
  const apply = db.prepare(
    'INSERT INTO crsql_changes ("table", pk, cid, val, col_version, db_version, site_id, cl, seq, ts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const perBatch = rowsPerVersion * columns;
  for (let from = 0; from < changes.length; from += perBatch) {
    db.transaction(() => {
      for (const change of changes.slice(from, from + perBatch)) apply.run(change);
    })();
  }
}
