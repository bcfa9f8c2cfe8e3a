/**
 * Takes in versions of other authors: keeps what is not complete yet, merges what is, many
 * versions in one transaction, each row read and written once. What happens to each version is
 * decided from memory before any row is read, so duplicates cost no reads.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import { compareHlc } from "../../core/clock/hlc.ts";
import type { Chunk, ReceiveOutcome, VersionOutcome, VersionRange } from "../../core/node/store.ts";
import { maxChunksPerVersion } from "../../core/wire/limits.ts";
import type { ActorLog, PartialVersion } from "./actor-table.ts";
import type { Engine } from "./engine.ts";
import { livePieces, type LogOrigin } from "./log-origin.ts";
import { headOf, withSeal } from "./version-log.ts";
import { compressFromBytes, loadPayload, storePayload } from "./payload.ts";
import { Merging, type PreparedVersion, prepareVersion } from "./merging.ts";

/** What came of one version of this call. */
interface Accepted {
  readonly log: ActorLog;
  readonly origin: LogOrigin;
  readonly chunks: readonly Chunk[];
  readonly prepared: PreparedVersion;
  /** Its place among the outcomes. */
  readonly at: number;
}

export function receiveVersions(
  engine: Engine,
  wallMs: number,
  chunks: readonly Chunk[],
  overwritten: readonly VersionRange[],
): ReceiveOutcome {
  const receiving = new Receiving(engine, wallMs);
  if (overwritten.length === 0 && receiving.allKnown(chunks)) return receiving.outcome();
  engine.begin("merge", true);
  try {
    for (let i = 0; i < chunks.length; i++) receiving.accept(chunks[i] as Chunk);
    receiving.mergeAll();
    for (const range of overwritten) receiving.mark(range);
    receiving.finish();
  } catch (error) {
    engine.rollback();
    throw error;
  }
  return receiving.outcome();
}

class Receiving {
  readonly #engine: Engine;
  readonly #wallMs: number;
  readonly #outcomes: (VersionOutcome | null)[] = [];
  readonly #accepted: Accepted[] = [];
  /** Parts that this call brought or added to, in order of their first chunk. */
  readonly #touched = new Map<PartialVersion, ActorLog>();
  /** Chunks of those, not written yet. */
  readonly #fresh = new Map<PartialVersion, Chunk[]>();
  #farFuture = 0;
  /** Of the chunks that came. */
  #bytes = 0;
  #marked = false;

  constructor(engine: Engine, wallMs: number) {
    this.#engine = engine;
    this.#wallMs = wallMs;
  }

  /** Takes the whole call for done when it brings nothing. */
  allKnown(chunks: readonly Chunk[]): boolean {
    for (const { actor, version } of chunks) {
      if (this.#engine.actors.find(actor)?.held.has(version) !== true) {
        this.#outcomes.length = 0;
        return false;
      }
      this.#known(actor, version);
    }
    return true;
  }

  outcome(): ReceiveOutcome {
    const versions = this.#outcomes as VersionOutcome[];
    return { versions, farFuture: this.#farFuture, summary: this.#engine.summary() };
  }

  accept(chunk: Chunk): void {
    this.#bytes += chunk.payload.length;
    const { actor, version, index, count } = chunk;
    const log = this.#engine.actors.findOrAdd(actor);
    if (log.held.has(version)) {
      this.#known(actor, version);
      return;
    }
    if (index >= count || count < 1 || count > maxChunksPerVersion) {
      this.#reject(chunk, "chunk index past its count");
      return;
    }
    if (count === 1 && !log.partials.has(version)) {
      this.#complete(log, [chunk]);
      return;
    }
    const partial = this.#buffer(log, chunk);
    if (partial === null || partial.have.count < count) return;
    const whole = this.#assemble(log, partial);
    this.#dropPart(log, partial);
    this.#complete(log, whole);
  }

  /** Said once for a version, however many of its chunks come. */
  #known(actor: ActorId, version: number): void {
    // A version accepted in this call has no outcome yet.
    const last = this.#outcomes.at(-1) ?? this.#accepted.at(-1)?.origin;
    if (last?.actor === actor && last.version === version) return;
    this.#outcomes.push({ type: "known", actor, version });
  }

  #reject({ actor, version }: Chunk, why: string): void {
    this.#outcomes.push({ type: "rejected", actor, version, why });
  }

  /** Null when the chunk contradicts those held: nobody can tell which is right, so all are dropped. */
  #buffer(log: ActorLog, chunk: Chunk): PartialVersion | null {
    const { version, index, count, hlc } = chunk;
    const held = log.partials.get(version);
    if (held !== undefined && (held.count !== count || compareHlc(held.hlc, hlc) !== 0)) {
      this.#dropPart(log, held);
      this.#reject(chunk, "chunks of one version contradict each other");
      return null;
    }
    const isNew = held?.have.has(index) !== true;
    const partial = log.addPart(version, count, hlc, index);
    this.#touched.set(partial, log);
    if (isNew) {
      const fresh = this.#fresh.get(partial);
      if (fresh === undefined) this.#fresh.set(partial, [chunk]);
      else fresh.push(chunk);
    }
    return partial;
  }

  #assemble(log: ActorLog, partial: PartialVersion): Chunk[] {
    const { version, count, hlc } = partial;
    const { actor } = log;
    const chunks: Chunk[] = [...(this.#fresh.get(partial) ?? [])];
    const stored = this.#engine.statements
      .get(
        "SELECT idx, sum, payload, seal FROM patina_part WHERE actor = ? AND version = ? ORDER BY idx",
      )
      .raw()
      .all(log.n, version) as [number, number, Uint8Array, Uint8Array | null][];
    for (const [index, sum, bytes, seal] of stored) {
      const head = { author: log.n, version, index, count, ...hlc, seal };
      const what = `part ${index} of version ${version} of ${actor}`;
      const payload = loadPayload(sum, bytes, head, what);
      chunks.push(withSeal({ actor, version, index, count, hlc, payload }, seal));
    }
    assert(chunks.length === count, "a version is complete when all its chunks are here");
    return chunks.sort((a, b) => a.index - b.index);
  }

  #dropPart(log: ActorLog, partial: PartialVersion): void {
    log.partials.delete(partial.version);
    this.#touched.delete(partial);
    this.#fresh.delete(partial);
    this.#engine.statements
      .get("DELETE FROM patina_part WHERE actor = ? AND version = ?")
      .run(log.n, partial.version);
  }

  #complete(log: ActorLog, chunks: readonly Chunk[]): void {
    const engine = this.#engine;
    const first = chunks[0] as Chunk;
    const { actor, version, hlc } = first;
    const prepared = prepareVersion(engine.rules, chunks);
    if (prepared.type === "rejected") {
      this.#reject(first, prepared.why);
      return;
    }
    const origin = engine.origins.add(engine.nextId(), actor, hlc, version);
    log.hold(version, version);
    if (engine.observe(this.#wallMs, hlc)) this.#farFuture++;
    const at = this.#outcomes.length;
    this.#accepted.push({ log, origin, chunks, prepared, at });
    if (prepared.type === "quarantined") {
      this.#outcomes.push({ type: "quarantined", actor, version, why: prepared.why });
      engine.statements
        .get("INSERT INTO patina_quarantine VALUES (?, ?)")
        .run(origin.id, prepared.why);
    } else {
      this.#outcomes.push(null);
    }
  }

  mergeAll(): void {
    const merging = new Merging(this.#engine);
    for (const { origin, prepared, chunks, at } of this.#accepted) {
      if (prepared.type !== "applicable") continue;
      const { actor, version } = origin;
      merging.add(origin, prepared, chunks, (won, lost) => {
        this.#outcomes[at] = { type: "applied", actor, version, won, lost };
      });
    }
    merging.flush();
  }

  /** Versions of the range that are not held count as held from now on, their content gone. */
  mark({ actor, from, to }: VersionRange): void {
    if (from < 1 || to < from) return;
    const log = this.#engine.actors.findOrAdd(actor);
    if (log.held.gaps(from, to).length > 0) {
      log.hold(from, to);
      this.#marked = true;
    }
    for (const partial of Array.from(log.partials.values())) {
      if (partial.version >= from && partial.version <= to) this.#dropPart(log, partial);
    }
  }

  finish(): void {
    const engine = this.#engine;
    const { effects, live: changes } = engine.settle();
    const live = livePieces(changes);
    const last = this.#accepted.at(-1);
    for (const accepted of this.#accepted) {
      const { origin, log, chunks, prepared } = accepted;
      const pieces = prepared.type === "quarantined" ? null : (live.get(origin.id) ?? 0);
      engine.log.append(origin, log, chunks, pieces, accepted === last ? effects : null);
    }
    for (const [partial, log] of this.#touched) {
      this.#writeParts(log, this.#fresh.get(partial) ?? []);
      const { actor } = log;
      const { version, have, count: of } = partial;
      this.#outcomes.push({ type: "buffered", actor, version, have: have.count, of });
    }
    engine.snapshot.spend(this.#accepted.length, this.#bytes);
    engine.commit(this.#marked);
  }

  #writeParts(log: ActorLog, chunks: readonly Chunk[]): void {
    const insert = this.#engine.statements.get(
      "INSERT INTO patina_part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (const chunk of chunks) {
      const { version, index, count, hlc, payload, seal } = chunk;
      const { sum, bytes } = storePayload(payload, compressFromBytes, headOf(log.n, chunk));
      insert.run(log.n, version, index, count, hlc.ms, hlc.counter, sum, bytes, seal ?? null);
    }
  }
}
