/** The versions that this store holds with their content: `patina_log`, `patina_chunk` and `patina_at`. */
import { zstdCompressSync, zstdDecompressSync, constants } from "node:zlib";
import { assert } from "../../core/base/assert.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { ActorLog } from "./actor-table.ts";
import type { StatementCache } from "./db.ts";
import { chunkStride } from "./layout.ts";
import type { LogOrigin } from "./log-origin.ts";

/** Payloads from this size on are compressed: below it the call costs more than the bytes. */
const packFromBytes = 4096;

const packing = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** A version of the log, without its payloads. */
export interface LoggedVersion {
  readonly id: number;
  readonly version: number;
  readonly hlc: Hlc;
  readonly count: number;
}

export class VersionLog {
  readonly #statements: StatementCache;
  /** Log ids of versions that `patina_at` does not list yet: by author's number, then version. */
  readonly #tail = new Map<number, Map<number, number>>();
  #tailSize = 0;

  constructor(statements: StatementCache) {
    this.#statements = statements;
  }

  /** Versions not listed in `patina_at` yet. */
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
    const single = chunks.length === 1 ? pack((chunks[0] as Chunk).payload) : null;
    this.#statements
      .get("INSERT INTO patina_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        id,
        log.n,
        version,
        hlc.ms,
        hlc.counter,
        chunks.length,
        live,
        single === null ? 0 : single.packed,
        effects,
        single === null ? null : single.bytes,
      );
    if (single === null) this.#appendChunks(id, chunks);
    this.addTail(log.n, version, id);
  }

  #appendChunks(id: number, chunks: readonly Chunk[]): void {
    const insert = this.#statements.get("INSERT INTO patina_chunk VALUES (?, ?, ?)");
    for (const { index, payload } of chunks) {
      const { packed, bytes } = pack(payload);
      insert.run(id * chunkStride + index, packed, bytes);
    }
  }

  /** A row that stands for a stamp alone: `live` pieces of state that came by repair stem from it. */
  appendStamp(origin: LogOrigin, log: ActorLog, live: number): void {
    assert(origin.version === 0 && live > 0, "a stamp alone is of no version, and is needed");
    this.#statements
      .get("INSERT INTO patina_log VALUES (?, ?, 0, ?, ?, 0, ?, 0, NULL, NULL)")
      .run(origin.id, log.n, origin.hlc.ms, origin.hlc.counter, live);
  }

  addTail(actor: number, version: number, id: number): void {
    let versions = this.#tail.get(actor);
    if (versions === undefined) {
      versions = new Map();
      this.#tail.set(actor, versions);
    }
    versions.set(version, id);
    this.#tailSize++;
  }

  clearTail(): void {
    this.#tail.clear();
    this.#tailSize = 0;
  }

  /** Lists in `patina_at` what is not listed there yet. */
  fold(): void {
    if (this.#tailSize === 0) return;
    const insert = this.#statements.get("INSERT INTO patina_at VALUES (?, ?, ?)");
    for (const [actor, versions] of this.#tail) {
      for (const [version, id] of versions) insert.run(actor, version, id);
    }
    this.clearTail();
  }

  /** The highest version from `from` to `to` of which the content is here. */
  highest(actor: number, from: number, to: number): LoggedVersion | null {
    const tail = this.#tail.get(actor);
    const direct = tail?.get(to);
    if (direct !== undefined) return this.#describe(direct);
    let version = -1;
    let id = 0;
    const found = this.#statements
      .get(
        "SELECT version, id FROM patina_at WHERE actor = ? AND version BETWEEN ? AND ? ORDER BY version DESC LIMIT 1",
      )
      .raw()
      .get(actor, from, to) as [number, number] | undefined;
    if (found !== undefined) [version, id] = found;
    if (tail !== undefined && version !== to) {
      for (const [candidate, itsId] of tail) {
        if (candidate < from || candidate > to || candidate <= version) continue;
        version = candidate;
        id = itsId;
      }
    }
    return version < 0 ? null : this.#describe(id);
  }

  #describe(id: number): LoggedVersion {
    const row = this.#statements
      .get("SELECT version, ms, counter, count FROM patina_log WHERE id = ?")
      .raw()
      .get(id) as [number, number, number, number] | undefined;
    assert(row !== undefined, "what patina_at lists is in the log");
    const [version, ms, counter, count] = row;
    return { id, version, hlc: { ms, counter }, count };
  }

  /** Chunks of log row `id`. */
  countOf(id: number): number {
    const count = this.#statements.get("SELECT count FROM patina_log WHERE id = ?").pluck().get(id);
    assert(typeof count === "number", "the version is in the log");
    return count;
  }

  payload({ id, count }: LoggedVersion, index: number): Uint8Array {
    assert(index >= 0 && index < count, "a version has the chunk asked for");
    const row =
      count === 1
        ? this.#statements.get("SELECT packed, payload FROM patina_log WHERE id = ?").raw().get(id)
        : this.#statements
            .get("SELECT packed, payload FROM patina_chunk WHERE at = ?")
            .raw()
            .get(id * chunkStride + index);
    assert(row !== undefined, "a version's content is there as long as the version is listed");
    const [packed, bytes] = row as [number, Uint8Array];
    return unpack(packed, bytes);
  }

  /** Drops the content of versions from which no piece of state stems any more. @returns how many. */
  shrink(): number {
    assert(this.#tailSize === 0, "the log is folded before it shrinks");
    const dead = this.#statements
      .get("SELECT id, actor, version, count FROM patina_log WHERE live = 0")
      .raw()
      .all() as [number, number, number, number][];
    for (const [id, actor, version, count] of dead) {
      this.#statements.get("DELETE FROM patina_log WHERE id = ?").run(id);
      this.#statements
        .get("DELETE FROM patina_at WHERE actor = ? AND version = ?")
        .run(actor, version);
      if (count > 1) {
        this.#statements
          .get("DELETE FROM patina_chunk WHERE at BETWEEN ? AND ?")
          .run(id * chunkStride, id * chunkStride + count - 1);
      }
    }
    return dead.length;
  }
}

function pack(payload: Uint8Array): { packed: number; bytes: Uint8Array } {
  if (payload.length < packFromBytes) return { packed: 0, bytes: payload };
  const packed = zstdCompressSync(payload, packing);
  return packed.length < payload.length
    ? { packed: 1, bytes: packed }
    : { packed: 0, bytes: payload };
}

function unpack(packed: number, bytes: Uint8Array): Uint8Array {
  const plain = packed === 0 ? bytes : zstdDecompressSync(bytes);
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
}
