/** What a store has to tell a dashboard about itself, cheap enough to be asked every few seconds. */
import type { Engine } from "./engine.ts";

export interface StoreCounts {
  /** Living rows and tombstones of all replicated tables. */
  readonly rows: number;
  readonly tombstones: number;
  /** Rows that lose a UNIQUE constraint and stand aside. */
  readonly aside: number;
  /** Versions that wait for a schema that knows their tables and columns. */
  readonly quarantined: number;
  /** Versions held in part. */
  readonly partial: number;
  /** Authors known. */
  readonly actors: number;
}

export function countStore(engine: Engine): StoreCounts {
  let [rows, tombstones, aside, partial, actors] = [0, 0, 0, 0, 0];
  for (const plan of engine.plans.values()) {
    rows += plan.sum.rows;
    tombstones += plan.dead;
    aside += engine.rows(plan).asideCount;
  }
  for (const log of engine.actors.logs) {
    partial += log.partials.size;
    if (log.head > 0) actors++;
  }
  const quarantined = engine.statements
    .get("SELECT count(*) FROM patina_quarantine")
    .pluck()
    .get() as number;
  return { rows, tombstones, aside, quarantined, partial, actors };
}
