/**
 * Looks through the log for damage that nobody has met yet, a little at a time: that each version
 * from which something stems is there, and that its content is what was written. What the tables
 * hold is compared with peers anyway, by digests. Changes nothing.
 */
import type { Engine } from "./engine.ts";
import { CorruptionError } from "./row-table.ts";

/** Messages of one pass; more would only repeat them. */
const mostTold = 20;

type LogRow = readonly [id: number, actor: number, version: number, count: number];

export class Scrub {
  readonly #engine: Engine;
  #pass: Generator<undefined, void> | null = null;
  #told: string[] = [];
  /** Pieces found damaged or missing by the pass under way, or else the last one. */
  damage = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Goes on with the pass, or begins one, for about so long: a piece is a pack or a chunk, so some
   * milliseconds longer at the most. @returns whether the pass is done
   */
  run(budgetMs: number): boolean {
    const untilMs = performance.now() + budgetMs;
    if (this.#pass === null) {
      this.damage = 0;
      this.#pass = this.#walk();
    }
    do {
      if (this.#pass.next().done !== true) continue;
      this.#pass = null;
      return true;
    } while (performance.now() < untilMs);
    return false;
  }

  /** What was found since the last call, a line each. */
  takeTold(): readonly string[] {
    return this.#told.splice(0);
  }

  /** Nothing is read across a yield: between two steps versions come and go. */
  *#walk(): Generator<undefined, void> {
    let packed = 0;
    for (let block = -1; ; ) {
      const counted = this.#try(() => this.#engine.live.blockAfter(block));
      // The list of what stems from versions is damaged itself: there is no way on.
      if (counted === undefined || counted === null) return;
      block = counted.block;
      const { ids } = counted;
      const [first, last] = [ids[0], ids[ids.length - 1]];
      if (first === undefined || last === undefined) continue;
      const rows = this.#rows(first, last);
      const packs = this.#engine.packs.packsOver(first, last);
      this.#missing(ids, rows, packs);
      yield;
      for (const pack of packs) {
        if (pack <= packed) continue;
        packed = pack;
        this.#try(() => this.#engine.packs.checkContent(pack));
        yield;
      }
      for (const row of rows) yield* this.#checkRow(row);
    }
  }

  #rows(first: number, last: number): readonly LogRow[] {
    return this.#engine.db
      .prepare("SELECT id, actor, version, count FROM patina_log WHERE id BETWEEN ? AND ?")
      .raw()
      .all(first, last) as LogRow[];
  }

  #missing(ids: readonly number[], rows: readonly LogRow[], packs: readonly number[]): void {
    const there = new Set(rows.map(([id]) => id));
    for (const pack of packs) {
      const listed = this.#try(() => this.#engine.packs.idsIn(pack));
      // What is in it cannot be told.
      if (listed === undefined) return;
      for (const id of listed) there.add(id);
    }
    for (const id of ids) {
      if (!there.has(id)) this.#tell(`log row ${id} is gone, though rows stem from it`);
    }
  }

  *#checkRow([id, actor, version, count]: LogRow): Generator<undefined, void> {
    const exists = this.#engine.db.prepare(
      "SELECT ms, counter FROM patina_log WHERE id = ? AND version > 0",
    );
    const owner = this.#engine.actors.idOf(actor);
    for (let index = 0; index < count; index++) {
      const row = exists.get(id) as { readonly ms: number; readonly counter: number } | undefined;
      if (row === undefined) return;
      const logged = { id, version, hlc: row, count };
      const done = this.#try(() =>
        this.#engine.log.chunk({ n: actor, actor: owner }, logged, index),
      );
      if (done === undefined) return;
      yield;
    }
  }

  /** Undefined where damage was found. Damage to pages of the file ends all work, as everywhere. */
  #try<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#tell(error.message);
      return undefined;
    }
  }

  #tell(what: string): void {
    this.damage++;
    if (this.damage <= mostTold) this.#told.push(what);
  }
}
