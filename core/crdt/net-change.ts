/**
 * The net effect of a local transaction on one row: what goes into its version. Writing what is
 * there already, or a row that comes and goes within the transaction, leaves nothing; a living row
 * that was deleted and inserted again begins a new life.
 */
import { assert } from "../base/assert.ts";
import type { ActorId } from "../base/ids.ts";
import { compareHlc, type Hlc } from "../clock/hlc.ts";
import type { CellWrite, RowChange } from "../wire/changes.ts";
import type { PreparedChange } from "./merge.ts";
import type { Origin } from "./origin.ts";
import { OpError } from "./op-values.ts";
import { extremeOrder, isCount } from "./policies.ts";
import { maxCausalLength } from "./prepare.ts";
import { type Row, tallyOf } from "./row.ts";
import type { TableRules } from "./table-rules.ts";
import { integerValue, isInt64, type Value, valuesEqual } from "./value.ts";

/** How a transaction leaves a row. */
export interface RowOutcome {
  readonly keyText: string;
  readonly key: readonly Value[];
  readonly alive: boolean;
  /** Its life began in the transaction. */
  readonly born: boolean;
  /** By data column; unused when not alive. */
  readonly values: readonly Value[];
}

export interface NetChange {
  readonly change: PreparedChange;
  /** The same for the wire. */
  readonly sent: RowChange;
  /** The latest stamp of what it overwrites; the transaction's own must be later. */
  readonly overwrites: Hlc | null;
}

/** @returns null when nothing changed. @throws OpError when a counter or a causal length would overflow. */
export function netChange(
  rules: TableRules,
  before: Row | undefined,
  after: RowOutcome,
  actor: ActorId,
): NetChange | null {
  const wasAlive = before?.alive === true;
  const held = before?.causalLength ?? 0;
  if (!after.alive) return wasAlive ? change(rules, before, after, held + 1, noCells) : null;
  if (!wasAlive || after.born) {
    const causalLength = wasAlive ? held + 2 : held + 1;
    return change(rules, before, after, causalLength, allCells(rules, after));
  }
  const cells = changedCells(rules, before, after, actor);
  return cells.columns.length === 0 ? null : change(rules, before, after, held, cells);
}

interface Cells {
  readonly columns: readonly number[];
  readonly values: readonly Value[];
  readonly totals: readonly boolean[] | null;
  readonly sent: readonly CellWrite[];
}

const noCells: Cells = { columns: [], values: [], totals: null, sent: [] };

function change(
  rules: TableRules,
  before: Row | undefined,
  after: RowOutcome,
  causalLength: number,
  { columns, values, totals, sent }: Cells,
): NetChange {
  const { keyText, key } = after;
  if (causalLength > maxCausalLength) {
    throw new OpError("SQLITE_FULL", `a row of ${rules.name} was deleted too often`);
  }
  const sameLife = before !== undefined && before.causalLength === causalLength;
  return {
    change: { rules, keyText, key, causalLength, columns, values, totals },
    sent: { table: rules.name, key, causalLength, cells: sent },
    overwrites: before === undefined ? null : latestStamp(before, sameLife ? columns : null),
  };
}

/** An insert writes every column, defaults included. */
function allCells(rules: TableRules, after: RowOutcome): Cells {
  const { values } = after;
  const sent = values.map((value, i): CellWrite => ({ column: nameOf(rules, i), value }));
  assert(sent.length === rules.dataColumns.length, "a row that is born has all of its columns");
  return { columns: rules.allColumns, values, totals: null, sent };
}

/** Cells as they are found: mostly one alone, which as a literal takes a third of the room that `push` would make. */
class FoundCells implements Cells {
  columns: number[] = [];
  values: Value[] = [];
  totals: boolean[] | null = null;
  sent: CellWrite[] = [];

  add(i: number, value: Value, isTotal: boolean, sent: CellWrite): void {
    if (isTotal) this.totals ??= this.columns.map(() => false);
    this.totals?.push(isTotal);
    if (this.columns.length === 0) {
      this.columns = [i];
      this.values = [value];
      this.sent = [sent];
    } else {
      this.columns.push(i);
      this.values.push(value);
      this.sent.push(sent);
    }
  }
}

function changedCells(rules: TableRules, before: Row, after: RowOutcome, actor: ActorId): Cells {
  if (after.values === before.values) return noCells;
  const cells = new FoundCells();
  for (let i = 0; i < rules.dataColumns.length; i++) {
    const value = after.values[i] as Value;
    const held = before.values[i] as Value;
    if (valuesEqual(value, held)) continue;
    const policy = rules.policies[i];
    if (policy === "counter") {
      addIncrement(rules, before, i, value, actor, cells);
      continue;
    }
    // What does not exceed a maximum that somebody wrote changes nothing.
    const written = before.origins[i] !== null;
    if (
      (policy === "max" || policy === "min") &&
      written &&
      extremeOrder(policy, value, held) <= 0
    ) {
      continue;
    }
    cells.add(i, value, false, { column: nameOf(rules, i), value });
  }
  return cells;
}

function addIncrement(
  rules: TableRules,
  before: Row,
  i: number,
  value: Value,
  actor: ActorId,
  cells: FoundCells,
): void {
  const held = before.values[i] as Value;
  assert(isCount(value) && isCount(held), "a counter holds integers");
  const own = tallyOf(before, i, actor)?.total ?? 0;
  assert(isCount(own), "a tally is an integer");
  const increment = BigInt(value) - BigInt(held);
  const total = BigInt(own) + increment;
  if (!isInt64(increment) || !isInt64(total)) {
    throw new OpError("SQLITE_FULL", `counter ${nameOf(rules, i)} of ${rules.name} overflows`);
  }
  const [add, all] = [integerValue(increment), integerValue(total)];
  cells.add(i, all, true, { column: nameOf(rules, i), add, total: all });
}

/**
 * The latest stamp of the given columns, or of the whole row when they are null: a new life or a
 * death overwrites everything.
 */
function latestStamp(row: Row, columns: readonly number[] | null): Hlc | null {
  if (columns === null) {
    let latest = later(null, row.sentinel);
    for (let i = 0; i < row.origins.length; i++) latest = laterOfCell(latest, row, i);
    return latest;
  }
  let latest: Hlc | null = null;
  for (const i of columns) latest = laterOfCell(latest, row, i);
  return latest;
}

function laterOfCell(latest: Hlc | null, row: Row, i: number): Hlc | null {
  let found = later(latest, row.origins[i] ?? null);
  for (const tally of row.counters?.[i]?.tallies ?? []) found = later(found, tally.origin);
  return found;
}

function later(latest: Hlc | null, origin: Origin | null): Hlc | null {
  if (origin === null) return latest;
  return latest === null || compareHlc(origin.hlc, latest) > 0 ? origin.hlc : latest;
}

function nameOf(rules: TableRules, i: number): string {
  return (rules.dataColumns[i] as TableRules["dataColumns"][number]).name;
}
