/** Authors and what is held of them, to and from `patina_actor` and `patina_part`. */
import type { ActorId } from "../../core/base/ids.ts";
import { type ActorLog, type ActorTable, encodeRanges } from "./actor-table.ts";
import type { StatementCache } from "./db.ts";

/** Fills `actors` with what the file says, and nothing else. */
export function loadActors(statements: StatementCache, actors: ActorTable): void {
  actors.clear();
  const rows = statements.get("SELECT n, actor, held FROM patina_actor ORDER BY n");
  for (const [n, actor, held] of rows.raw().all() as [number, ActorId, Uint8Array][]) {
    actors.load(n, actor, held);
  }
  const parts = statements.get(
    "SELECT actor, version, idx, count, ms, counter FROM patina_part ORDER BY actor, version, idx",
  );
  type PartRow = [number, number, number, number, number, number];
  for (const [actor, version, index, count, ms, counter] of parts.raw().all() as PartRow[]) {
    actors.byNumber(actor).addPart(version, count, { ms, counter }, index);
  }
}

/** Writes what is held of an author, if that has changed. */
export function saveActor(statements: StatementCache, log: ActorLog): void {
  if (!log.changed) return;
  statements
    .get("REPLACE INTO patina_actor VALUES (?, ?, ?)")
    .run(log.n, log.actor, encodeRanges(log.held));
  log.changed = false;
  log.stored = true;
}
