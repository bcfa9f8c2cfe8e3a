/** Authors and what is held of them, to and from `patina_actor` and `patina_part`. */
import { type ActorId, isHexId } from "../../core/base/ids.ts";
import { type ActorLog, type ActorTable, encodeRanges } from "./actor-table.ts";
import type { StatementCache } from "./db.ts";
import { sumOfHeld } from "./payload.ts";
import { CorruptionError } from "./row-table.ts";

/** Fills `actors` with what the file says, and nothing else. */
export function loadActors(statements: StatementCache, actors: ActorTable): void {
  actors.clear();
  const rows = statements.get("SELECT n, actor, held, sum FROM patina_actor ORDER BY n");
  type ActorRow = [number, ActorId, Uint8Array, number | null];
  for (const [n, actor, held, sum] of rows.raw().all() as ActorRow[]) {
    if (!isHexId(actor) || (sum !== null && sum !== sumOfHeld(actor, held))) {
      throw new CorruptionError(`what is held of author ${n} is damaged`);
    }
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
  const held = encodeRanges(log.held);
  statements
    .get("REPLACE INTO patina_actor VALUES (?, ?, ?, ?)")
    .run(log.n, log.actor, held, sumOfHeld(log.actor, held));
  log.changed = false;
  log.stored = true;
}
