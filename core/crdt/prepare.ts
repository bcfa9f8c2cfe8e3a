/**
 * Resolves row changes from the wire against the tables known here. What the author's schema
 * allowed and this one does not know is told by a reason: the version waits in quarantine. What no
 * schema allows is hostile or damaged and throws `WireError`.
 */
import { roomFor } from "../base/room.ts";
import type { RowChange } from "../wire/changes.ts";
import { WireError } from "../wire/wire-error.ts";
import { normalise } from "./affinity.ts";
import { encodeKeyText, normaliseKey } from "./key.ts";
import type { PreparedChange } from "./merge.ts";
import { isCount } from "./policies.ts";
import { whyNotStored } from "./store-class.ts";
import type { TableRules } from "./table-rules.ts";
import type { Value } from "./value.ts";

/** Far above what a row lives through, far below where adding 1 stops being exact. */
export const maxCausalLength = 2 ** 48;

/** @returns the resolved change, or why it cannot be applied here yet. @throws WireError */
export function prepareChange(
  tables: ReadonlyMap<string, TableRules>,
  change: RowChange,
): PreparedChange | string {
  const rules = tables.get(change.table);
  if (rules === undefined) return `no table ${change.table} here`;
  if (change.causalLength > maxCausalLength) throw new WireError("causal length out of range");
  const key = prepareKey(rules, change.key);
  if (typeof key === "string") return key;
  const count = change.cells.length;
  const columns = roomFor(count, 0);
  const values = roomFor<Value>(count, null);
  let totals: boolean[] | null = null;
  for (let k = 0; k < count; k++) {
    const cell = change.cells[k] as RowChange["cells"][number];
    const i = rules.position(cell.column);
    if (i === undefined) return `no column ${cell.column} in table ${change.table} here`;
    const column = rules.dataColumns[i] as TableRules["dataColumns"][number];
    const isTotal = "total" in cell;
    const value = normalise(isTotal ? cell.total : cell.value, column.affinity);
    if (column.policy === "counter") {
      if (!isCount(value)) return `column ${cell.column} of ${change.table} counts integers here`;
    } else {
      if (isTotal) return `column ${cell.column} of ${change.table} is no counter here`;
      const why = whyNotStored(rules.schema, column, value);
      if (why !== null) return why;
    }
    if (isTotal) totals ??= Array.from({ length: count }, () => false);
    if (totals !== null) totals[k] = isTotal;
    columns[k] = i;
    values[k] = value;
  }
  return {
    rules,
    keyText: encodeKeyText(key),
    key,
    causalLength: change.causalLength,
    columns,
    values,
    totals,
  };
}

function prepareKey(rules: TableRules, sent: readonly Value[]): Value[] | string {
  const { keyColumns, keyAffinities } = rules;
  if (sent.length !== keyColumns.length) {
    return `the primary key of ${rules.name} has ${keyColumns.length} columns here, not ${sent.length}`;
  }
  const key = roomFor<Value>(sent.length, null);
  for (let i = 0; i < sent.length; i++) {
    const value = normaliseKey(
      sent[i] as Value,
      keyAffinities[i] as (typeof keyAffinities)[number],
    );
    if (value === null) throw new WireError("NULL in a primary key");
    const why = whyNotStored(rules.schema, keyColumns[i] as (typeof keyColumns)[number], value);
    if (why !== null) return why;
    key[i] = value;
  }
  return key;
}
