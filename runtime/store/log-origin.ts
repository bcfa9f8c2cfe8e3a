/**
 * Origins of the SQLite store: each has an id in `patina_log`, by which clocks refer to it. How many
 * pieces of state stem from a version is kept elsewhere (`live-counts.ts`); here only what the
 * transaction under way adds and takes.
 */
import { assert } from "../../core/base/assert.ts";
import { emptyList } from "../../core/base/room.ts";
import type { ActorId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import { Origin } from "../../core/crdt/origin.ts";
import type { ActorTable } from "./actor-table.ts";
import type { Db, Statement } from "./db.ts";
import { KnownVersions } from "./known-versions.ts";
import type { PackedLog } from "./packed-log.ts";

/** Origins kept as objects, a power of two. More would outlive the young generation, and be copied by the collector. */
const cachedOrigins = 2048;

export class LogOrigin extends Origin {
  readonly id: number;
  /** Change of the number of living pieces in this transaction. */
  delta = 0;
  readonly #touched: LogOrigin[];
  #listed = false;
  /** When it was asked for last, as `Origins` counts. */
  asked = 0;

  constructor(id: number, actor: ActorId, hlc: Hlc, version: number, touched: LogOrigin[]) {
    super(actor, hlc, version);
    assert(id >= 1, "log ids count from 1");
    this.id = id;
    this.#touched = touched;
  }

  override retain(pieces = 1): void {
    this.delta += pieces;
    this.#list();
  }

  override release(pieces = 1): void {
    this.delta -= pieces;
    this.#list();
  }

  /** Takes the transaction's change off, to be recorded. */
  settle(): number {
    const { delta } = this;
    this.delta = 0;
    this.#listed = false;
    return delta;
  }

  #list(): void {
    if (this.#listed) return;
    this.#listed = true;
    this.#touched.push(this);
  }
}

/** How many pieces of state versions won or lost: log id, change, log id, change, … */
export type LiveChanges = readonly number[];

const noChanges: number[] = [];

/** By log id. */
export function livePieces(changes: LiveChanges): Map<number, number> {
  const pieces = new Map<number, number>();
  for (let i = 0; i < changes.length; i += 2) {
    const id = changes[i] as number;
    pieces.set(id, (pieces.get(id) ?? 0) + (changes[i + 1] as number));
  }
  return pieces;
}

export class Origins {
  readonly #actors: ActorTable;
  readonly #packs: PackedLog;
  readonly #select: Statement;
  /** By the lowest bits of the id: one takes another's place, unless a row at hand may refer to that. */
  #cache: (LogOrigin | undefined)[] = [];
  /** Those whose place is taken by another that is needed now. */
  readonly #displaced = new Map<number, LogOrigin>();
  /** Rises whenever no row at hand refers to any. */
  #now = 1;
  /** Whose number of living pieces the transaction under way has changed. */
  readonly #touched: LogOrigin[] = [];
  /** Those that had a place lately. */
  readonly #known = new KnownVersions();

  constructor(db: Db, actors: ActorTable, packs: PackedLog) {
    this.#actors = actors;
    this.#packs = packs;
    this.#select = db
      .prepare("SELECT actor, ms, counter, version FROM patina_log WHERE id = ?")
      .raw();
    this.#cache = emptyCache();
  }

  /** A version that the log is about to get. */
  add(id: number, actor: ActorId, hlc: Hlc, version: number): LogOrigin {
    const origin = new LogOrigin(id, actor, hlc, version, this.#touched);
    origin.asked = this.#now;
    const at = id & (cachedOrigins - 1);
    const there = this.#cache[at];
    if (there === undefined || there.asked < this.#now) this.#cache[at] = origin;
    else this.#displaced.set(id, origin);
    const author = this.#actors.find(actor)?.n;
    if (author !== undefined) this.#known.put(id, author, version, hlc.ms, hlc.counter);
    return origin;
  }

  get(id: number): LogOrigin {
    const cached = this.#cache[id & (cachedOrigins - 1)];
    if (cached !== undefined && cached.id === id) {
      cached.asked = this.#now;
      return cached;
    }
    const displaced = this.#displaced.size === 0 ? undefined : this.#displaced.get(id);
    if (displaced !== undefined) return displaced;
    const at = this.#known.at(id);
    if (at >= 0) {
      const hlc = { ms: this.#known.ms(at), counter: this.#known.counter(at) };
      return this.add(id, this.#actors.idOf(this.#known.actor(at)), hlc, this.#known.version(at));
    }
    const packed = this.#packs.find(id);
    if (packed !== null) {
      const { actor, ms, counter, version } = packed;
      return this.add(id, this.#actors.idOf(actor), { ms, counter }, version);
    }
    const row = this.#select.get(id) as [number, number, number, number] | undefined;
    assert(row !== undefined, `log row ${id} is there as long as a clock points to it`);
    const [actor, ms, counter, version] = row;
    return this.add(id, this.#actors.idOf(actor), { ms, counter }, version);
  }

  /** Ends a transaction: the changes of living pieces, zeros left out. */
  settle(): LiveChanges {
    let changes = noChanges;
    for (const origin of this.#touched) {
      const delta = origin.settle();
      // Most transactions have one or two: as a literal they take a third of the room that `push` would make.
      if (delta === 0) continue;
      if (changes.length === 0) changes = [origin.id, delta];
      else changes.push(origin.id, delta);
    }
    emptyList(this.#touched);
    this.trim();
    return changes;
  }

  /** After a failed transaction. */
  clear(): void {
    this.#cache = emptyCache();
    this.#known.clear();
    this.#displaced.clear();
    this.#touched.length = 0;
  }

  /** No row at hand refers to any: each may give way to others now, and is read again when it is asked for. */
  trim(): void {
    this.#now++;
    // An empty map that is cleared makes itself a new table all the same.
    if (this.#displaced.size > 0) this.#displaced.clear();
  }
}

/** A place for each from the beginning: an array that grows is copied again and again. */
function emptyCache(): (LogOrigin | undefined)[] {
  return Array.from({ length: cachedOrigins }, () => undefined);
}
