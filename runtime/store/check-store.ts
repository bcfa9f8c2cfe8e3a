/**
 * Proves that what a store holds fits together, or says where not: for `patina doctor`, and in its
 * short form whenever a store is opened that was not closed. Changes nothing.
 */
import { IntervalSet } from "../../core/base/interval-set.ts";
import { addRow, type Row } from "../../core/crdt/row.ts";
import { StateSum } from "../../core/crdt/state-hash.ts";
import { decodeChanges } from "../../core/wire/changes.ts";
import { causalLengthOf } from "./clock-cell.ts";
import type { Db } from "./db.ts";
import type { Engine } from "./engine.ts";
import { KeyRange } from "./key-range.ts";
import { chunkStride } from "./layout.ts";
import type { LogOrigin } from "./log-origin.ts";
import { describeKey } from "./row-table.ts";
import type { TablePlan } from "./table-plan.ts";

export interface Problem {
  /** What part of the store it is about: a table, or one of the store's own. */
  readonly where: string;
  readonly what: string;
}

/** Problems told of one kind; more would only repeat them. */
const mostTold = 20;

/** What the last transactions before a stop did: takes milliseconds, whatever the size of the store. */
export function checkTail(engine: Engine): Problem[] {
  const problems: Problem[] = [];
  for (const plan of engine.plans.values()) {
    checkDefinition(engine, plan, problems);
    const rows = engine.rows(plan);
    const deleted: number[] = [];
    for (const { key, cell } of plan.overlay.inOrder()) {
      const alive = causalLengthOf(cell) % 2 === 1;
      if (!alive && typeof key[0] === "number") deleted.push(key[0]);
      const shown = rows.table.read([key])[0] ?? rows.aside?.read([key])[0] ?? null;
      if ((shown !== null) === alive) continue;
      const what = `row ${describeKey(key)} ${alive ? "is missing" : "should be deleted"}`;
      problems.push({ where: plan.schema.name, what });
    }
    checkSpans(engine, plan, deleted, problems);
  }
  checkHeld(engine, engine.folded, problems);
  return problems;
}

/** The rows of spans that wait stand in the table. @param deleted keys of rows that were deleted since, ascending. */
function checkSpans(
  engine: Engine,
  plan: TablePlan,
  deleted: readonly number[],
  problems: Problem[],
): void {
  if (plan.overlay.spans.length === 0) return;
  const { aside } = engine.rows(plan);
  const names = [plan.table, ...(aside === null ? [] : [aside.name])];
  const [key] = plan.keyNames;
  const counts = names.map((name) => {
    return engine.statements.pluck(`SELECT count(*) FROM ${name} WHERE ${key} BETWEEN ? AND ?`);
  });
  let at = 0;
  for (const { first, last } of plan.overlay.spans) {
    let expected = last - first + 1;
    for (; at < deleted.length && (deleted[at] as number) <= last; at++) {
      if ((deleted[at] as number) >= first) expected--;
    }
    const shown = counts.reduce((sum, count) => sum + (count.get(first, last) as number), 0);
    if (shown === expected) continue;
    const what = `of rows ${first} to ${last} some are missing, or are not deleted`;
    problems.push({ where: plan.schema.name, what });
  }
}

function checkPages(db: Db): Problem[] {
  // What a merge left in breach of a CHECK is a conflict, no damage.
  const ignores = db.pragma("ignore_check_constraints", { simple: true }) as number;
  db.pragma("ignore_check_constraints = ON");
  try {
    const told = db.pragma("quick_check(20)") as { quick_check: string }[];
    return told
      .flatMap(({ quick_check: text }) => text.split("\n"))
      .filter((what) => what !== "ok" && !what.startsWith("***"))
      .slice(0, mostTold)
      .map((what) => ({ where: "file", what }));
  } finally {
    db.pragma(`ignore_check_constraints = ${ignores}`);
  }
}

/** Everything, row by row: takes as long as reading the whole file. */
export function checkStore(engine: Engine): Problem[] {
  const problems = checkPages(engine.db);
  if (problems.length > 0) return problems;
  engine.foldNow();
  const live = new Map<number, number>();
  let whole = true;
  for (const plan of engine.plans.values()) {
    checkDefinition(engine, plan, problems);
    if (!checkTable(engine, plan, live, problems)) whole = false;
  }
  checkHeld(engine, 0, problems);
  // Where rows are missing their versions seem to count too much.
  if (whole) checkLive(engine, live, problems);
  checkContents(engine, problems);
  return problems;
}

/** The table is as the schema says, and its guards are in place. */
function checkDefinition({ db }: Engine, plan: TablePlan, problems: Problem[]): void {
  const where = plan.schema.name;
  const columns = db.prepare("SELECT name FROM pragma_table_xinfo(?)").pluck().all(where);
  for (const { name } of plan.schema.columns) {
    if (!columns.includes(name)) problems.push({ where, what: `column ${name} is gone` });
  }
  const guards = db
    .prepare(
      `SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? AND name LIKE 'patina_guard_%'`,
    )
    .pluck()
    .get(where);
  if (guards !== 3) {
    problems.push({ where, what: "the triggers that refuse writes from outside are gone" });
  }
}

/** Every clock has its row, every row its clock, and together they give the digest. @returns whether all could be read. */
function checkTable(
  engine: Engine,
  plan: TablePlan,
  live: Map<number, number>,
  problems: Problem[],
): boolean {
  const where = plan.schema.name;
  const sum = new StateSum();
  let dead = 0;
  const everything = new Uint8Array(0);
  try {
    for (const rows of new KeyRange(engine, plan, everything, everything).batches(true)) {
      for (const row of rows) {
        if (row.alive) addRow(plan.rules, row, sum);
        else dead++;
        countLive(row, live);
      }
    }
  } catch (error) {
    problems.push({ where, what: (error as Error).message });
    return false;
  }
  const { aside } = engine.rows(plan);
  const names = [plan.table, ...(aside === null ? [] : [aside.name])];
  const counts = names.map((name) => `(SELECT count(*) FROM ${name})`);
  const shown = engine.db
    .prepare(`SELECT ${counts.join(" + ")}`)
    .pluck()
    .get();
  if (shown !== sum.rows) {
    problems.push({
      where,
      what: `${String(shown)} rows stand in the table, ${sum.rows} are known`,
    });
  }
  if (dead !== plan.dead) {
    problems.push({ where, what: `${dead} tombstones are there, ${plan.dead} are counted` });
  }
  if (sum.rows !== plan.sum.rows) {
    problems.push({ where, what: `${sum.rows} rows are there, ${plan.sum.rows} are counted` });
    return false;
  }
  if (sum.hex() !== plan.sum.hex()) {
    problems.push({
      where,
      what: `its rows give the digest ${sum.hex()}, kept was ${plan.sum.hex()}`,
    });
  }
  return true;
}

function countLive(row: Row, live: Map<number, number>): void {
  const count = (origin: LogOrigin | null) => {
    if (origin !== null) live.set(origin.id, (live.get(origin.id) ?? 0) + 1);
  };
  count(row.sentinel as LogOrigin | null);
  for (const origin of row.origins) count(origin as LogOrigin | null);
  for (const counter of row.counters ?? []) {
    for (const { origin } of counter?.tallies ?? []) count(origin as LogOrigin);
  }
}

/** What the log has above id `above` is held, once, under ids that are not used again. */
function checkHeld(engine: Engine, above: number, problems: Problem[]): void {
  const where = "patina_log";
  const seen = new Map<number, IntervalSet>();
  for (const { id, actor, version } of versionsAbove(engine, above)) {
    const log = engine.actors.byNumber(actor);
    const versions = seen.get(actor) ?? new IntervalSet();
    seen.set(actor, versions);
    const name = `version ${version} of ${log.actor}`;
    if (versions.add(version) === 0) tell(problems, where, `${name} is there twice`);
    if (!log.held.has(version)) tell(problems, where, `${name} is there, but not held`);
    if (id > engine.lastId) tell(problems, where, `row ${id} is above the ids given out`);
  }
  for (const log of engine.actors.logs) {
    for (const { version } of log.partials.values()) {
      if (log.held.has(version)) {
        tell(
          problems,
          "patina_part",
          `version ${version} of ${log.actor} is held whole and in parts`,
        );
      }
    }
  }
}

interface KnownVersion {
  readonly id: number;
  readonly actor: number;
  readonly version: number;
  readonly ms: number;
  readonly counter: number;
  readonly count: number;
}

/** All versions whose content is here and whose log id is above `above`. */
function* versionsAbove(engine: Engine, above: number): Generator<KnownVersion> {
  // The last transactions are in no pack yet.
  if (above < engine.packs.packed) {
    for (const version of engine.packs.all())
      if (version.id > above) yield { ...version, count: 1 };
  }
  const rows = engine.db.prepare(
    "SELECT id, actor, version, ms, counter, count FROM patina_log WHERE id > ? AND version > 0 ORDER BY id",
  );
  yield* rows.iterate(above) as IterableIterator<KnownVersion>;
}

/** Each version counts as many living pieces as there are. */
function checkLive(engine: Engine, live: ReadonlyMap<number, number>, problems: Problem[]): void {
  const where = "patina_log";
  const counts = new Map(engine.live.all());
  const known = new Set<number>();
  for (const id of idsCounted(engine)) {
    known.add(id);
    const counted = counts.get(id);
    if (counted === undefined) {
      tell(problems, where, `row ${id} is not counted`);
      continue;
    }
    const found = live.get(id) ?? 0;
    if (found === counted) continue;
    tell(problems, where, `row ${id} counts ${counted} living pieces, ${found} are there`);
  }
  for (const id of live.keys()) {
    if (!known.has(id)) tell(problems, where, `row ${id} is gone, though rows stem from it`);
  }
  for (const id of counts.keys()) {
    if (!known.has(id)) tell(problems, "patina_live", `row ${id} is counted, though it is gone`);
  }
  const waiting = engine.db
    .prepare(
      "SELECT count(*) FROM patina_log WHERE (live IS NULL) <> (id IN (SELECT id FROM patina_quarantine))",
    )
    .pluck()
    .get() as number;
  if (waiting > 0) tell(problems, "patina_quarantine", "it does not list what is quarantined");
}

function* idsCounted(engine: Engine): Generator<number> {
  for (const { id } of engine.packs.all()) yield id;
  const rows = engine.db.prepare("SELECT id FROM patina_log WHERE live IS NOT NULL").pluck();
  yield* rows.iterate() as IterableIterator<number>;
}

/** Every version can be found, and its content is what was stored. */
function checkContents(engine: Engine, problems: Problem[]): void {
  const where = "patina_log";
  const versions = Array.from(versionsAbove(engine, 0));
  for (const { id, actor, version, ms, counter, count } of versions) {
    const owner = engine.actors.idOf(actor);
    const name = `version ${version} of ${owner}`;
    const logged = { id, version, hlc: { ms, counter }, count };
    if (engine.log.highest(actor, version, version)?.id !== id) {
      tell(problems, "patina_run", `${name} cannot be found`);
    }
    try {
      for (let index = 0; index < count; index++) {
        decodeChanges(engine.log.chunk({ n: actor, actor: owner }, logged, index).payload);
      }
    } catch (error) {
      tell(problems, where, `${name}: ${(error as Error).message}`);
    }
  }
  const orphans = engine.db
    .prepare(
      `SELECT count(*) FROM patina_chunk WHERE at / ${chunkStride} NOT IN (SELECT id FROM patina_log)`,
    )
    .pluck()
    .get() as number;
  if (orphans > 0) tell(problems, "patina_chunk", `${orphans} chunks belong to no version`);
}

function tell(problems: Problem[], where: string, what: string): void {
  if (problems.filter((problem) => problem.where === where).length < mostTold) {
    problems.push({ where, what });
  }
}
