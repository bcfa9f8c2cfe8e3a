/**
 * The tables that Patina keeps beside the user's in the same file. Everything that decides what a
 * node holds is changed in the transaction that changes the rows.
 *
 * - `patina_log`: one row a version held with its content, but for those in packs. `id` rises as
 *   versions arrive here and is what clocks point to. `live`: pieces of state that stemmed from the
 *   version at first; NULL while it is quarantined. `sum`: checksum of the payload (`payload.ts`). `effects`: what the transaction did to clocks and digests (`effects.ts`); if that
 *   is much, it stands in `patina_effects` until it is folded into the tables where it belongs. A
 *   version of several chunks has its payloads in `patina_chunk`. `actor` 0 and `version` 0 do not occur together with a payload:
 *   a row with version 0 stands for a stamp that came by repair.
 * - `patina_pack`: small versions, many to a row: `head` tells of them, `content` is their payloads
 *   and seals end to end (`version-pack.ts`). `id` and `last`: the first and the last of their log ids.
 * - `patina_live`: how many pieces of state stem from each version by now, 256 log ids to a row
 *   (`live-counts.ts`); `dead`: how many of them count none.
 * - `patina_run`: where versions are in the log: `count` of them from `version` on have log ids
 *   from `id` on. Those that shrank are missing there.
 * - `patina_actor`: authors, each with what is held of it, as ranges, and a checksum of both; NULL
 *   for those that were written before layout 4.
 * - `patina_part`: chunks of versions that are not complete yet.
 * - `seal`, in these three: the author's signature of a chunk; NULL where there is none.
 * - `patina_credential`: keys of authors, with what proves whose they are.
 * - `patina_quarantine`: versions that wait for a schema that knows them.
 * - `patina_object`: tables, indexes, views and triggers of the schema files; of replicated tables
 *   also the digest, and since which log id each column exists.
 * - `patina_state`: one row; who this node is, its clock, how far the log is folded, and how the
 *   file was last opened and closed (`stored-state.ts`).
 * - `patina_clock_…`: clocks of the rows of a replicated table, living or dead (`clock-cell.ts`).
 * - `patina_rowid_…`: of a table whose key is no rowid, clocks under the rowids of living rows
 *   (`rowid-clocks.ts`); `keyed` in `patina_object`: some may stand under their keys all the same.
 * - `patina_span`: clocks of many neighbours as one row (`clock-spans.ts`); `n`: their table.
 */

import { guardsOf } from "./capture.ts";
import { type Db, StatementCache } from "./db.ts";
import { LiveCounts } from "./live-counts.ts";
import { quoteName } from "./schema-source.ts";

/** "Ptna": tells `file` and SQLite tools whose database this is. */
export const applicationId = 0x50746e61;

/** Rises with each change of this layout; a program refuses a database from a newer one. */
export const layoutVersion = 8;

/** Chunk `index` of log row `id` is row `id × chunkStride + index` of `patina_chunk`. */
export const chunkStride = 2 ** 20;

const tablesOf3 = `CREATE TABLE patina_pack (
  id INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  head BLOB NOT NULL,
  sum INTEGER NOT NULL,
  content BLOB NOT NULL
);
CREATE TABLE patina_live (
  block INTEGER PRIMARY KEY,
  dead INTEGER NOT NULL,
  counts BLOB NOT NULL
);
CREATE INDEX patina_live_dead ON patina_live (block) WHERE dead > 0;
`;

const tableOf5 = `CREATE TABLE patina_span (
  n INTEGER,
  first INTEGER,
  last INTEGER NOT NULL,
  c INTEGER NOT NULL,
  step INTEGER NOT NULL,
  PRIMARY KEY (n, first)
) WITHOUT ROWID;
`;

export const layout = `
CREATE TABLE patina_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  actor TEXT NOT NULL,
  node TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  clock_ms INTEGER NOT NULL,
  clock_counter INTEGER NOT NULL,
  far_ms INTEGER NOT NULL,
  far_counter INTEGER NOT NULL,
  far_seen INTEGER NOT NULL,
  folded INTEGER NOT NULL,
  packed INTEGER NOT NULL DEFAULT 0,
  next_id INTEGER NOT NULL,
  clean INTEGER NOT NULL DEFAULT 1,
  backup INTEGER NOT NULL DEFAULT 0,
  boot TEXT NOT NULL DEFAULT '',
  durable INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE patina_actor (
  n INTEGER PRIMARY KEY,
  actor TEXT NOT NULL UNIQUE,
  held BLOB NOT NULL,
  sum INTEGER
);
CREATE TABLE patina_log (
  id INTEGER PRIMARY KEY,
  actor INTEGER NOT NULL,
  version INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  count INTEGER NOT NULL,
  live INTEGER,
  sum INTEGER NOT NULL,
  effects BLOB,
  payload BLOB,
  seal BLOB
);
${tablesOf3}CREATE TABLE patina_chunk (
  at INTEGER PRIMARY KEY,
  sum INTEGER NOT NULL,
  payload BLOB NOT NULL,
  seal BLOB
);
CREATE TABLE patina_effects (id INTEGER PRIMARY KEY, effects BLOB NOT NULL);
CREATE TABLE patina_run (
  actor INTEGER,
  version INTEGER,
  id INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (actor, version)
) WITHOUT ROWID;
CREATE TABLE patina_part (
  actor INTEGER,
  version INTEGER,
  idx INTEGER,
  count INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  payload BLOB NOT NULL,
  seal BLOB,
  PRIMARY KEY (actor, version, idx)
) WITHOUT ROWID;
CREATE TABLE patina_credential (key BLOB PRIMARY KEY, credential BLOB NOT NULL) WITHOUT ROWID;
${tableOf5}CREATE TABLE patina_quarantine (id INTEGER PRIMARY KEY, why TEXT NOT NULL);
CREATE TABLE patina_object (
  n INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL UNIQUE,
  local INTEGER NOT NULL,
  sql TEXT NOT NULL,
  hash_a INTEGER NOT NULL DEFAULT 0,
  hash_b INTEGER NOT NULL DEFAULT 0,
  rows INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  since TEXT NOT NULL DEFAULT '{}',
  keyed INTEGER NOT NULL DEFAULT 1
);
`;

/** What brings a database of an older layout to the next one, by the older one's number. */
export const upgrades: Readonly<Record<number, (db: Db) => void>> = {
  1: (db) => {
    db.exec(`
ALTER TABLE patina_log ADD COLUMN seal BLOB;
ALTER TABLE patina_chunk ADD COLUMN seal BLOB;
ALTER TABLE patina_part ADD COLUMN seal BLOB;
CREATE TABLE patina_credential (key BLOB PRIMARY KEY, credential BLOB NOT NULL) WITHOUT ROWID;
`);
  },
  2: (db) => {
    db.exec(`
DROP INDEX patina_log_dead;
${tablesOf3}
ALTER TABLE patina_state ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;
UPDATE patina_state SET packed = folded;
`);
    // Versions of before stay rows of their own; those that are not folded yet are counted when they are.
    const live = new LiveCounts(new StatementCache(db));
    const counted = db.prepare(
      "SELECT id, live FROM patina_log WHERE live IS NOT NULL AND id <= (SELECT folded FROM patina_state) AND id > ? ORDER BY id LIMIT 10000",
    );
    for (let after = 0; ; ) {
      const rows = counted.raw().all(after) as [number, number][];
      if (rows.length === 0) return;
      for (const [id, count] of rows) live.begin(id, count);
      live.fold();
      after = (rows.at(-1) as [number, number])[0];
    }
  },
  // Checksums of chunks cover their heads from now on; those written before are read as they are.
  3: (db) => {
    db.exec("ALTER TABLE patina_actor ADD COLUMN sum INTEGER;");
  },
  // Clocks of before stay where they are.
  4: (db) => {
    db.exec(tableOf5);
  },
  // Clocks and packs of before are read as they are; an older program could not read the shorter ones of now.
  // The triggers that refuse writes from outside call no function any more (`capture.ts`).
  5: (db) => {
    const guards = db.prepare(
      "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'patina_guard_*'",
    );
    const old = guards.raw().all() as [name: string, table: string][];
    for (const [name] of old) db.exec(`DROP TRIGGER ${quoteName(name)}`);
    const tables = new Set(old.map(([, table]) => table));
    for (const table of tables) for (const sql of guardsOf(table)) db.exec(sql);
  },
  // Tables of before have no clocks under rowids: theirs stay where they are.
  6: (db) => {
    db.exec("ALTER TABLE patina_object ADD COLUMN keyed INTEGER NOT NULL DEFAULT 1");
  },
  // What waits is read as before; an older program could not read the spans that wait now.
  7: () => {},
};
