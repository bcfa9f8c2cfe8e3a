/** Turns files of today into what older versions of the program wrote. */
import { crc32 } from "node:zlib";
import type Database from "better-sqlite3";
import { StatementCache } from "../../../runtime/store/db.ts";
import { LiveCounts } from "../../../runtime/store/live-counts.ts";

/** Before packs: each version a row that counts its own pieces. The file has no packs, and is closed. */
export function toLayout2(db: Database.Database): void {
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
