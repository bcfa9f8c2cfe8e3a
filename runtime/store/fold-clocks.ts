/** Writes clocks that were put off into the tables where they belong, in the order of what they stand under. */
import type { Value } from "../../core/crdt/value.ts";
import { causalLengthOf, type ClockCell } from "./clock-cell.ts";
import { addSpan } from "./clock-spans.ts";
import { ClockWriter, placeholders, stepOf } from "./clock-table.ts";
import type { StatementCache } from "./db.ts";
import type { ClockPlace } from "./rowid-clocks.ts";
import type { TablePlan } from "./table-plan.ts";

export function foldClocks(statements: StatementCache, plan: TablePlan): void {
  const { overlay, rowids } = plan;
  if (overlay.size === 0) return;
  const writer = new ClockWriter(statements, plan);
  // First, since what stands alone hides what they say.
  for (const span of overlay.spans) addSpan(statements, plan, span);
  if (rowids === null) for (const { key, cell } of overlay.inOrder()) writer.add(key, cell);
  else {
    const placed: RowidClock[] = [];
    for (const { key, cell, rowid } of overlay.inOrder()) {
      if (rowid === 0) addByKey(statements, plan, writer, key, cell);
      else placed.push({ rowid, cell });
    }
    // First, since another row may have got a rowid that is forgotten.
    forgetRowids(statements, rowids, overlay.forgotten());
    const byRowid = new ClockWriter(statements, rowids);
    for (const { rowid, cell } of placed.sort(byRowidOf)) byRowid.add([rowid], cell);
    byRowid.flush();
  }
  writer.flush();
  overlay.clear();
}

interface RowidClock {
  readonly rowid: number;
  readonly cell: ClockCell;
}

export function byRowidOf(
  left: { readonly rowid: number },
  right: { readonly rowid: number },
): number {
  return left.rowid - right.rowid;
}

/** Under its key, in a table that may have clocks under rowids. */
export function addByKey(
  statements: StatementCache,
  plan: TablePlan,
  writer: ClockWriter,
  key: readonly Value[],
  cell: ClockCell,
): void {
  if (!plan.keyed && causalLengthOf(cell) % 2 === 1) {
    statements.get("UPDATE patina_object SET keyed = 1 WHERE n = ?").run(plan.n);
    plan.keyed = true;
  }
  writer.add(key, cell);
}

/** Gives back the room of clocks of these rowids; spans stay as they are, since they take none for one row. */
export function forgetRowids(
  statements: StatementCache,
  place: ClockPlace,
  rowids: readonly number[],
): void {
  const sorted = Float64Array.from(rowids).sort();
  for (let from = 0; from < sorted.length; ) {
    const first = sorted[from] as number;
    let to = from + 1;
    while (to < sorted.length && sorted[to] === first + to - from) to++;
    if (to - from >= leastRange) {
      const sql = place.sql("forget a range", () => {
        return `DELETE FROM ${place.clock} WHERE k0 BETWEEN ? AND ?`;
      });
      statements.get(sql).run(first, sorted[to - 1]);
      from = to;
      continue;
    }
    const count = stepOf(sorted.length - from);
    const sql = place.sql(`forget ${count}`, () => {
      return `DELETE FROM ${place.clock} WHERE k0 IN ${placeholders(count, 1)}`;
    });
    statements.get(sql).run(...sorted.slice(from, from + count));
    from += count;
  }
}

/** From so many on one walk along them is cheaper than looking for each. */
const leastRange = 16;
