/** Turns files of today into what older versions of the program wrote. */
import { crc32 } from "node:zlib";
import type Database from "better-sqlite3";
import { StatementCache } from "../../../runtime/store/db.ts";
import { LiveCounts } from "../../../runtime/store/live-counts.ts";

/** Before clocks under rowids: all stand under keys. The file is closed. */
export function toLayout6(db: Database.Database): void {
  const tables = db.prepare(
    "SELECT n, name FROM patina_object WHERE kind = 'table' AND 'patina_rowid_' || name IN (SELECT name FROM sqlite_schema)",
  );
  for (const [n, name] of tables.raw().all() as [number, string][]) {
    const columns = db.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk");
    const keys = (columns.pluck().all(name) as string[]).map((column) => `t."${column}"`);
    const same = keys.map((key, i) => `k${i} = ${key}`).join(" AND ");
    const span = `SELECT iif(last >= t._rowid_, c + step * (t._rowid_ - first), NULL) FROM patina_span WHERE n = ${n} AND first <= t._rowid_ ORDER BY first DESC LIMIT 1`;
    db.exec(`
INSERT INTO "patina_clock_${name}"
  SELECT ${keys.join(", ")}, ifnull((SELECT c FROM "patina_rowid_${name}" WHERE k0 = t._rowid_), (${span}))
  FROM "${name}" AS t WHERE NOT EXISTS (SELECT 1 FROM "patina_clock_${name}" WHERE ${same});
DELETE FROM patina_span WHERE n = ${n};
DROP TABLE "patina_rowid_${name}";
`);
  }
  db.exec("ALTER TABLE patina_object DROP COLUMN keyed");
  db.pragma("user_version = 6");
}

/** Before guards that call nothing. */
function toLayout5(db: Database.Database): void {
  toLayout6(db);
  db.function("patina_writes_only_through_a_node", () => null);
  const guards = db.prepare("SELECT name, sql FROM sqlite_schema WHERE name GLOB 'patina_guard_*'");
  for (const [name, sql] of guards.raw().all() as [string, string][]) {
    db.exec(`DROP TRIGGER "${name}"`);
    db.exec(
      sql.replace(
        "EXISTS (SELECT patina_writes_only_through_a_node())",
        "patina_writes_only_through_a_node()",
      ),
    );
  }
  db.pragma("user_version = 5");
}

/** Before spans: each row has its clock to itself. The file is closed. */
export function toLayout4(db: Database.Database): void {
  toLayout5(db);
  const spans = db.prepare(
    "SELECT name, first, last, c, step FROM patina_span JOIN patina_object USING (n)",
  );
  for (const [name, first, last, c, step] of spans.raw().all() as SpanRow[]) {
    const put = db.prepare(`INSERT OR IGNORE INTO "patina_clock_${name}" VALUES (?, ?)`);
    for (let key = first; key <= last; key++) put.run(key, c + step * (key - first));
  }
  db.exec("DROP TABLE patina_span");
  db.pragma("user_version = 4");
}

type SpanRow = readonly [name: string, first: number, last: number, c: number, step: number];

/** Before packs: each version a row that counts its own pieces. The file has no packs, and is closed. */
export function toLayout2(db: Database.Database): void {
  toLayout4(db);
  const live = [...new LiveCounts(new StatementCache(db)).all()];
  const count = db.prepare("UPDATE patina_log SET live = ? WHERE id = ?");
  for (const [id, pieces] of live) count.run(pieces, id);
  db.exec(`
DROP TABLE patina_pack;
DROP TABLE patina_live;
CREATE INDEX patina_log_dead ON patina_log (id) WHERE live = 0;
ALTER TABLE patina_state DROP COLUMN packed;
`);
  // Checksums were of the payload alone, and of authors there were none.
  db.function("sum_of_2", (payload: unknown) => 4 * crc32(payload as Uint8Array));
  db.exec(`
UPDATE patina_log SET sum = sum_of_2(payload) WHERE payload IS NOT NULL;
UPDATE patina_chunk SET sum = sum_of_2(payload);
ALTER TABLE patina_actor DROP COLUMN sum;
`);
  db.pragma("user_version = 2");
}
