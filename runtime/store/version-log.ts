/** The versions that this store holds with their content: `patina_log`, `patina_pack`, `patina_chunk` and `patina_run`. */
import { assert } from "../../core/base/assert.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { ActorLog } from "./actor-table.ts";
import type { Statement, StatementCache } from "./db.ts";
import { chunkStride } from "./layout.ts";
import type { LiveCounts } from "./live-counts.ts";
import type { LogOrigin } from "./log-origin.ts";
import { packBelowBytes, type PackedLog } from "./packed-log.ts";
import { type ChunkHead, compressFromBytes, loadPayload, storePayload } from "./payload.ts";
import type { PackedVersion } from "./version-pack.ts";
import { CorruptionError } from "./row-table.ts";

/** Effects up to this size stand in the version's row for good: writing another page costs more. */
const maxEffectsInRow = 64;
/** Where the row goes into a pack soon, which takes the effects' room back. */
const maxEffectsUntilPacked = 4096;

/** A version of the log, without its payloads. */
export interface LoggedVersion {
  readonly id: number;
  readonly version: number;
  readonly hlc: Hlc;
  readonly count: number;
}

/** Versions of one author in a row, with log ids in a row. */
interface Run {
  readonly actor: number;
  readonly version: number;
  readonly id: number;
  count: number;
}

export class VersionLog {
  readonly #statements: StatementCache;
  readonly #packs: PackedLog;
  readonly #live: LiveCounts;
  /** Runs that `patina_run` does not have yet, in order of ids. */
  #tail: Run[] = [];
  #tailSize = 0;
  /** Write the row of a plain version of author `#plainOf`; the second one the first of its millisecond. */
  #plain: Statement | null = null;
  #plainInMs: Statement | null = null;
  #plainOf = -1;

  constructor(statements: StatementCache, packs: PackedLog, live: LiveCounts) {
    this.#statements = statements;
    this.#packs = packs;
    this.#live = live;
  }

  /** Versions not listed in `patina_run` yet. */
  get tailSize(): number {
    return this.#tailSize;
  }

  /**
   * Writes a version's row. `live`: pieces of state that stem from it, null while quarantined;
   * `effects` as in `effects.ts`, or null.
   */
  append(
    origin: LogOrigin,
    log: ActorLog,
    chunks: readonly Chunk[],
    live: number | null,
    effects: Uint8Array | null,
  ): void {
    assert(chunks.length >= 1, "a version has a chunk");
    const { id, version, hlc } = origin;
    const { payload, seal = null } = chunks[0] as Chunk;
    // What is quarantined may wait for long, and is not packed.
    const small = chunks.length === 1 && live !== null && payload.length < packBelowBytes;
    const single =
      chunks.length === 1
        ? storePayload(
            payload,
            small ? packBelowBytes : compressFromBytes,
            headOf(log.n, chunks[0] as Chunk),
          )
        : null;
    const most = small ? maxEffectsUntilPacked : maxEffectsInRow;
    const inRow = effects !== null && effects.length <= most;
    const told = inRow ? effects : null;
    if (single !== null && seal === null && live !== null) {
      // Most versions are such, and each parameter takes its time.
      if (this.#plainOf !== log.n) this.#preparePlain(log.n);
      const { sum, bytes } = single;
      if (hlc.counter === 0) this.#plainInMs?.run(id, version, hlc.ms, live, sum, told, bytes);
      else this.#plain?.run(id, version, hlc.ms, hlc.counter, live, sum, told, bytes);
    } else {
      const insert = this.#statements.get(
        "INSERT INTO patina_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      );
      insert.run(
        id,
        log.n,
        version,
        hlc.ms,
        hlc.counter,
        chunks.length,
        live,
        single === null ? 0 : single.sum,
        told,
        single === null ? null : single.bytes,
        single === null ? null : seal,
      );
    }
    if (effects !== null && !inRow) {
      this.#statements.get("INSERT INTO patina_effects VALUES (?, ?)").run(id, effects);
    }
    if (single === null) this.#appendChunks(id, log.n, chunks);
    this.addTail(log.n, version, id);
    if (live !== null) this.#live.begin(id, live);
    if (small) this.#packs.add(origin, log.n, payload, seal);
  }

  #preparePlain(author: number): void {
    const sql = (counter: string) =>
      `INSERT INTO patina_log VALUES (?, ${author}, ?, ?, ${counter}, 1, ?, ?, ?, ?, NULL)`;
    this.#plain = this.#statements.get(sql("?"));
    this.#plainInMs = this.#statements.get(sql("0"));
    this.#plainOf = author;
  }

  #appendChunks(id: number, author: number, chunks: readonly Chunk[]): void {
    const insert = this.#statements.get("INSERT INTO patina_chunk VALUES (?, ?, ?, ?)");
    for (const chunk of chunks) {
      const { index, payload, seal } = chunk;
      const { sum, bytes } = storePayload(payload, compressFromBytes, headOf(author, chunk));
      insert.run(id * chunkStride + index, sum, bytes, seal ?? null);
    }
  }

  /** A row that stands for a stamp alone: `live` pieces of state that came by repair stem from it. */
  appendStamp(origin: LogOrigin, log: ActorLog, live: number): void {
    assert(origin.version === 0 && live > 0, "a stamp alone is of no version, and is needed");
    this.#statements
      .get("INSERT INTO patina_log VALUES (?, ?, 0, ?, ?, 0, ?, 0, NULL, NULL, NULL)")
      .run(origin.id, log.n, origin.hlc.ms, origin.hlc.counter, live);
    this.#live.begin(origin.id, live);
  }

  addTail(actor: number, version: number, id: number): void {
    this.#tailSize++;
    const last = this.#tail.at(-1);
    if (
      last?.actor === actor &&
      last.version + last.count === version &&
      last.id + last.count === id
    ) {
      last.count++;
    } else {
      this.#tail.push({ actor, version, id, count: 1 });
    }
  }

  clearTail(): void {
    this.#tail = [];
    this.#tailSize = 0;
  }

  /** Lists in `patina_run` what is not listed there yet. */
  fold(): void {
    if (this.#tailSize === 0) return;
    const insert = this.#statements.get("INSERT INTO patina_run VALUES (?, ?, ?, ?)");
    const before = this.#statements
      .get(
        "SELECT version, id, count FROM patina_run WHERE actor = ? AND version < ? ORDER BY version DESC LIMIT 1",
      )
      .raw();
    const extend = this.#statements.get(
      "UPDATE patina_run SET count = count + ? WHERE actor = ? AND version = ?",
    );
    for (const { actor, version, id, count } of this.#tail) {
      const found = before.get(actor, version) as [number, number, number] | undefined;
      const [first, firstId, length] = found ?? [0, 0, 0];
      if (first + length === version && firstId + length === id) extend.run(count, actor, first);
      else insert.run(actor, version, id, count);
    }
    this.clearTail();
    this.#statements.get("DELETE FROM patina_effects").run();
  }

  /** The highest version from `from` to `to` of which the content is here. */
  highest(actor: number, from: number, to: number): LoggedVersion | null {
    let best: LoggedVersion | null = null;
    for (const run of this.#tail) {
      if (run.actor !== actor) continue;
      const found = this.#highestIn(run, Math.max(from, (best?.version ?? 0) + 1), to);
      if (found !== null) best = found;
    }
    if (best?.version === to) return best;
    const low = Math.max(from, (best?.version ?? 0) + 1);
    const runBelow = this.#statements
      .get(
        "SELECT version, id, count FROM patina_run WHERE actor = ? AND version <= ? ORDER BY version DESC LIMIT 1",
      )
      .raw();
    for (let top = to; top >= low; ) {
      const row = runBelow.get(actor, top) as [number, number, number] | undefined;
      if (row === undefined) break;
      const [version, id, count] = row;
      const found = this.#highestIn({ actor, version, id, count }, low, top);
      if (found !== null) return found;
      top = version - 1;
    }
    return best;
  }

  /** The highest version of the run, from `from` to `to`, that has not shrunk. */
  #highestIn({ version, id, count }: Run, from: number, to: number): LoggedVersion | null {
    const low = Math.max(from, version);
    const high = Math.min(to, version + count - 1);
    if (high < low) return null;
    const [first, last] = [id + low - version, id + high - version];
    const packed = this.#packs.highest(first, last);
    const found =
      packed?.id === last ? null : this.#highestRow((packed?.id ?? first - 1) + 1, last);
    const best = found ?? (packed === null ? null : loggedOf(packed));
    if (best !== null && best.version !== version + best.id - id) {
      throw new CorruptionError(`log row ${best.id} is not the version that it was given for`);
    }
    return best;
  }

  #highestRow(first: number, last: number): LoggedVersion | null {
    const row = this.#statements
      .get(
        "SELECT id, version, ms, counter, count FROM patina_log WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
      )
      .raw()
      .get(first, last) as [number, number, number, number, number] | undefined;
    if (row === undefined) return null;
    const [id, version, ms, counter, count] = row;
    return { id, version, hlc: { ms, counter }, count };
  }

  /** Chunks of log row `id`. */
  countOf(id: number): number {
    const count = this.#statements.get("SELECT count FROM patina_log WHERE id = ?").pluck().get(id);
    assert(typeof count === "number", "the version is in the log");
    return count;
  }

  /** A chunk as its author made it. @throws CorruptionError */
  chunk(
    { n: author, actor }: Pick<ActorLog, "n" | "actor">,
    logged: LoggedVersion,
    index: number,
  ): Chunk {
    const { id, version, hlc, count } = logged;
    assert(index >= 0 && index < count, "a version has the chunk asked for");
    const packed = this.#packs.find(id);
    if (packed !== null) {
      const { payload, seal } = this.#packs.content(packed);
      return withSeal({ actor, version, index, count, hlc, payload }, seal);
    }
    const row =
      count === 1
        ? this.#statements
            .get("SELECT sum, payload, seal FROM patina_log WHERE id = ?")
            .raw()
            .get(id)
        : this.#statements
            .get("SELECT sum, payload, seal FROM patina_chunk WHERE at = ?")
            .raw()
            .get(id * chunkStride + index);
    if (row === undefined) {
      throw new CorruptionError(`chunk ${index} of log row ${id} is not there`);
    }
    const [sum, bytes, seal] = row as [number, Uint8Array, Uint8Array | null];
    const head = { author, version, index, count, ...hlc, seal };
    const payload = loadPayload(sum, bytes, head, `chunk ${index} of log row ${id}`);
    return withSeal({ actor, version, index, count, hlc, payload }, seal);
  }

  /** Drops the content of versions from which no piece of state stems any more. @returns how many. */
  shrink(): number {
    assert(this.#tailSize === 0, "the log is folded before it shrinks");
    const dead = this.#live.dead();
    if (dead.length === 0) return 0;
    const packed = this.#packs.remove(dead);
    const inPacks = new Set(packed.map(({ id }) => id));
    const rows = dead.filter((id) => !inPacks.has(id)).map((id) => this.#removeRow(id));
    this.#packs.forget(new Set(dead));
    this.#live.forget(dead);
    this.#forgetRuns([...packed, ...rows]);
    return dead.length;
  }

  #removeRow(id: number): { readonly actor: number; readonly version: number } {
    const row = this.#statements
      .get("DELETE FROM patina_log WHERE id = ? RETURNING actor, version, count")
      .raw()
      .get(id) as [number, number, number] | undefined;
    assert(row !== undefined, `log row ${id} is there as long as it is counted`);
    const [actor, version, count] = row;
    if (count > 1) {
      this.#statements
        .get("DELETE FROM patina_chunk WHERE at BETWEEN ? AND ?")
        .run(id * chunkStride, id * chunkStride + count - 1);
    }
    return { actor, version };
  }

  /** Takes out the runs of which nothing is left, now that these versions are gone. */
  #forgetRuns(gone: readonly { readonly actor: number; readonly version: number }[]): void {
    const runOf = this.#statements
      .get(
        "SELECT version, id, count FROM patina_run WHERE actor = ? AND version <= ? ORDER BY version DESC LIMIT 1",
      )
      .raw();
    let seen = { actor: -1, from: 0, to: 0 };
    for (const { actor, version } of gone) {
      // A stamp that came by repair is of no version.
      if (version === 0) continue;
      if (seen.actor === actor && version >= seen.from && version <= seen.to) continue;
      const run = runOf.get(actor, version) as [number, number, number] | undefined;
      // Taken out already, for another of its versions, before one of another author came between.
      if (run === undefined) continue;
      const [first, id, count] = run;
      const last = first + count - 1;
      seen = { actor, from: first, to: last };
      if (this.#highestIn({ actor, version: first, id, count }, first, last) !== null) continue;
      this.#statements
        .get("DELETE FROM patina_run WHERE actor = ? AND version = ?")
        .run(actor, first);
    }
  }
}

function loggedOf({ id, version, ms, counter }: PackedVersion): LoggedVersion {
  return { id, version, hlc: { ms, counter }, count: 1 };
}

export function headOf(
  author: number,
  { version, index, count, hlc: { ms, counter }, seal }: Omit<Chunk, "payload" | "actor">,
): ChunkHead {
  return { author, version, index, count, ms, counter, seal: seal ?? null };
}

/** @param seal as a column has it. */
export function withSeal(chunk: Chunk, seal: Uint8Array | null): Chunk {
  if (seal === null) return chunk;
  return { ...chunk, seal: new Uint8Array(seal.buffer, seal.byteOffset, seal.byteLength) };
}
