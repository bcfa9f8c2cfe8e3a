/** Merges whole row states: repair by key range. */
import { formatHlc } from "../../core/clock/hlc.ts";
import { decodeKey, encodeKeyText } from "../../core/crdt/key.ts";
import type { Origin } from "../../core/crdt/origin.ts";
import { mergeRowState } from "../../core/crdt/row-exchange.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { RowState } from "../../core/node/store.ts";
import { decodeRowCells, type Stamp } from "../../core/wire/row-state.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import type { Engine } from "./engine.ts";
import { livePieces, type LogOrigin } from "./log-origin.ts";
import { RowSet } from "./row-set.ts";
import type { TablePlan } from "./table-plan.ts";

/** @returns how many rows changed. States that no row can have are passed over. */
export function mergeRowStates(
  engine: Engine,
  wallMs: number,
  states: readonly RowState[],
): number {
  engine.begin();
  try {
    const stamps = new Stamps(engine, wallMs, states);
    const sets = loadRows(engine, states);
    let changed = 0;
    for (const state of states) {
      const plan = engine.plans.get(state.table);
      const rows = sets.get(state.table);
      if (plan === undefined || rows === undefined) continue;
      const find = (keyText: string, key: readonly Value[]) => rows.row(key, keyText);
      const originOf = (stamp: Stamp) => stamps.origin(stamp);
      if (!tryMerge(() => mergeRowState(plan.rules, state, find, originOf, plan.sum))) continue;
      const key = decodeKey(state.key, plan.keyAffinities) as Value[];
      rows.changed(key, encodeKeyText(key));
      changed++;
    }
    for (const rows of sets.values()) {
      rows.flush();
    }
    const { live } = engine.settle();
    stamps.keep(livePieces(live));
    engine.commit(true);
    return changed;
  } catch (error) {
    engine.rollback();
    throw error;
  }
}

/** False for a state that no row can have, which was refused before anything changed. */
function tryMerge(merge: () => boolean): boolean {
  try {
    return merge();
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function loadRows(engine: Engine, states: readonly RowState[]): Map<string, RowSet> {
  const keys = new Map<TablePlan, Value[][]>();
  for (const { table, key: bytes } of states) {
    const plan = engine.plans.get(table);
    const key = plan === undefined ? null : decodeKey(bytes, plan.keyAffinities);
    // Bytes that are no key are refused when their turn comes.
    if (plan === undefined || key === null) continue;
    const list = keys.get(plan);
    if (list === undefined) keys.set(plan, [key]);
    else list.push(key);
  }
  const sets = new Map<string, RowSet>();
  for (const [plan, list] of keys) {
    const rows = new RowSet(engine, plan);
    rows.load(
      list,
      list.map((key) => encodeKeyText(key)),
    );
    sets.set(plan.schema.name, rows);
  }
  return sets;
}

/** Finds the versions of the log that have given stamps. */
class Stamps {
  readonly #engine: Engine;
  readonly #wallMs: number;
  readonly #ids = new Map<string, number>();
  readonly #found = new Map<string, LogOrigin>();
  readonly #made: LogOrigin[] = [];

  /** One pass over the log, however many stamps there are. */
  constructor(engine: Engine, wallMs: number, states: readonly RowState[]) {
    this.#engine = engine;
    this.#wallMs = wallMs;
    const wanted = new Set<string>();
    for (const state of states) {
      tryMerge(() => {
        for (const stamp of stampsOf(state)) wanted.add(nameOf(stamp));
        return true;
      });
    }
    const rows = engine.db
      .prepare("SELECT id, actor, ms, counter FROM patina_log WHERE live IS NOT NULL")
      .raw()
      .iterate() as IterableIterator<[number, number, number, number]>;
    for (const [id, actor, ms, counter] of rows) {
      const name = nameOf({ actor: engine.actors.idOf(actor), hlc: { ms, counter } });
      if (wanted.has(name)) this.#ids.set(name, id);
    }
    for (const { id, actor, ms, counter } of engine.packs.all()) {
      const name = nameOf({ actor: engine.actors.idOf(actor), hlc: { ms, counter } });
      if (wanted.has(name)) this.#ids.set(name, id);
    }
  }

  /** The version here that has this stamp; if its content is gone, an origin of its own. */
  origin(stamp: Stamp): Origin {
    const name = nameOf(stamp);
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const engine = this.#engine;
    engine.observe(this.#wallMs, stamp.hlc);
    const id = this.#ids.get(name);
    const origin =
      id === undefined
        ? engine.origins.add(engine.nextId(), stamp.actor, stamp.hlc, 0)
        : engine.origins.get(id);
    if (id === undefined) this.#made.push(origin);
    this.#found.set(name, origin);
    return origin;
  }

  /** Writes the stamps from which state stems that no version here has. */
  keep(live: ReadonlyMap<number, number>): void {
    for (const origin of this.#made) {
      const pieces = live.get(origin.id) ?? 0;
      if (pieces === 0) continue;
      this.#engine.log.appendStamp(origin, this.#engine.actors.findOrAdd(origin.actor), pieces);
    }
  }
}

function stampsOf(state: RowState): Stamp[] {
  const { sentinel, cells } = decodeRowCells(state.cells);
  const stamps = sentinel === null ? [] : [sentinel];
  for (const { base, totals } of cells) {
    if (base !== null) stamps.push(base.stamp);
    for (const { stamp } of totals) stamps.push(stamp);
  }
  return stamps;
}

function nameOf({ actor, hlc }: Stamp): string {
  return actor + formatHlc(hlc);
}
