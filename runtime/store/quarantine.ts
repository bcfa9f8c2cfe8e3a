/** Versions that wait for a schema that knows their tables and columns. */
import { compareIds } from "../../core/base/ids.ts";
import type { Chunk, ReceiveOutcome, VersionOutcome } from "../../core/node/store.ts";
import type { Engine } from "./engine.ts";
import { Merging, prepareVersion } from "./merging.ts";
import type { LogOrigin } from "./log-origin.ts";

/** Applies those that the schema knows by now, by author and version. */
export function releaseQuarantined(engine: Engine, wallMs: number): ReceiveOutcome {
  const versions: VersionOutcome[] = [];
  const ids = engine.statements.get("SELECT id FROM patina_quarantine").pluck().all() as number[];
  if (ids.length === 0) return { versions, farFuture: 0, summary: engine.summary() };
  engine.begin();
  try {
    const waiting = ids.map((id) => engine.origins.get(id)).sort(compareVersions);
    const released: LogOrigin[] = [];
    for (const origin of waiting) {
      if (release(engine, wallMs, origin, versions)) released.push(origin);
    }
    engine.settle();
    // From now on pieces of state are counted; those that it won are added when this is folded.
    const count = engine.statements.get("UPDATE patina_log SET live = 0 WHERE id = ?");
    for (const { id } of released) {
      count.run(id);
      engine.live.begin(id, 0);
    }
    engine.commit(true);
  } catch (error) {
    engine.rollback();
    throw error;
  }
  return { versions, farFuture: 0, summary: engine.summary() };
}

function release(
  engine: Engine,
  wallMs: number,
  origin: LogOrigin,
  versions: VersionOutcome[],
): boolean {
  const { actor, version } = origin;
  const chunks = contentOf(engine, origin);
  const prepared = prepareVersion(engine.rules, chunks);
  if (prepared.type !== "applicable") {
    engine.statements
      .get("UPDATE patina_quarantine SET why = ? WHERE id = ?")
      .run(prepared.why, origin.id);
    return false;
  }
  const merging = new Merging(engine);
  merging.add(origin, prepared, chunks, (won, lost) => {
    versions.push({ type: "applied", actor, version, won, lost });
  });
  merging.flush();
  engine.observe(wallMs, origin.hlc);
  engine.statements.get("DELETE FROM patina_quarantine WHERE id = ?").run(origin.id);
  return true;
}

function contentOf(engine: Engine, { id, actor, version, hlc }: LogOrigin): Chunk[] {
  const count = engine.log.countOf(id);
  const logged = { id, version, hlc, count };
  const log = engine.actors.findOrAdd(actor);
  return Array.from({ length: count }, (_, index) => engine.log.chunk(log, logged, index));
}

function compareVersions(a: LogOrigin, b: LogOrigin): number {
  return compareIds(a.actor, b.actor) || a.version - b.version;
}
