/** Turns files of today into what older versions of the program wrote. */
import { crc32 } from "node:zlib";
import type Database from "better-sqlite3";
import { StatementCache } from "../../../runtime/store/db.ts";
import { LiveCounts } from "../../../runtime/store/live-counts.ts";

/** Before guards that call nothing. */
function toLayout5(db: Database.Database): void {
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
