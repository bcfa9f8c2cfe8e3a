/** The rows of one table in memory, living and dead, and their sum in the state hash. */
import { Row } from "../../core/crdt/row.ts";
import { StateSum } from "../../core/crdt/state-hash.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";

export class MemoryTable {
  readonly rules: TableRules;
  readonly sum = new StateSum();
  readonly #rows = new Map<string, Row>();
  /** All rows in key order; null when a row was added since. */
  #sorted: Row[] | null = null;

  constructor(rules: TableRules) {
    this.rules = rules;
  }

  find(keyText: string): Row | undefined {
    return this.#rows.get(keyText);
  }

  findOrAdd(keyText: string, key: readonly Value[]): Row {
    const held = this.#rows.get(keyText);
    if (held !== undefined) return held;
    const row = new Row(this.rules, keyText, key);
    this.#rows.set(keyText, row);
    this.#sorted = null;
    return row;
  }

  /** Rows with keys in [from, to), tombstones included, in key order; `to` empty: to the end. */
  range(from: string, to: string): readonly Row[] {
    this.#sorted ??= [...this.#rows.values()].sort((a, b) => (a.keyText < b.keyText ? -1 : 1));
    const sorted = this.#sorted;
    const first = from === "" ? 0 : firstAtOrAfter(sorted, from);
    const end = to === "" ? sorted.length : firstAtOrAfter(sorted, to);
    return first === 0 && end === sorted.length ? sorted : sorted.slice(first, end);
  }

  /** The same rows under rules that have all columns of these. */
  withRules(rules: TableRules): MemoryTable {
    const next = new MemoryTable(rules);
    const from = next.rules.dataColumns.map((column) => this.rules.position(column.name));
    for (const row of this.#rows.values()) {
      if (row.alive) {
        const { values, origins, counters } = row;
        row.values = from.map((i, to) =>
          i === undefined ? (next.rules.defaults[to] as Value) : (values[i] as Value),
        );
        row.origins = from.map((i) => (i === undefined ? null : (origins[i] ?? null)));
        row.counters = next.rules.hasCounters
          ? from.map((i) => (i === undefined ? null : (counters?.[i] ?? null)))
          : null;
      }
      next.#rows.set(row.keyText, row);
    }
    next.sum.addSum(this.sum);
    return next;
  }
}

function firstAtOrAfter(sorted: readonly Row[], keyText: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Row).keyText < keyText) low = middle + 1;
    else high = middle;
  }
  return low;
}
