/**
 * The state of a row as seen with some of the versions: causal length first, then cell by cell
 * within the life that counts, as `core/crdt/merge.ts` merges. Here the winners are looked up
 * among all writes instead of merged one by one, so that the losers can be shown as well.
 */
import { untagValue } from "../../core/trace/tagged-value.ts";
import type { Value } from "../../core/crdt/value.ts";
import { compareValues } from "../../core/crdt/value-order.ts";
import { counterValue, isCount, type Tally } from "../../core/crdt/policies.ts";
import type { MergePolicy } from "../../core/crdt/schema.ts";
import { isObject } from "./line-fields.ts";
import { Policies } from "./policies.ts";
import { sideObject, type Trace } from "./trace.ts";

/** A set of versions: those with 0 ≤ since[version] ≤ event. Null holds none. */
export interface Vision {
  readonly since: Int32Array | null;
  readonly event: number;
}

export interface CellState {
  readonly column: string;
  readonly value: Value;
  /** The write that decides; of a counter, its base. −1: the default, written by nobody (in a live trace: before it began). */
  readonly write: number;
  /** Of a counter: the latest addition of each actor, as writes. */
  readonly additions: readonly number[];
}

export interface RowState {
  /** 0: no such row was ever seen; even: deleted. */
  readonly causalLength: number;
  readonly alive: boolean;
  /** By index in the table's `columns`; empty unless alive. */
  readonly cells: readonly CellState[];
}

const none: readonly number[] = [];

/** At most this many commits are kept parsed. */
const maxParsedCommits = 512;

export class RowReader {
  readonly trace: Trace;
  readonly policies: Policies;
  readonly #policiesOf: (readonly MergePolicy[])[];
  readonly #parsed = new Map<number, readonly unknown[]>();
  #bestA = new Int32Array(16);
  #bestB = new Int32Array(16);

  constructor(trace: Trace) {
    this.trace = trace;
    this.policies = new Policies(trace);
    this.#policiesOf = trace.rows.tables.map(({ name, columns }) =>
      this.policies.of(name, columns),
    );
    const widest = Math.max(1, ...trace.rows.tables.map(({ columns }) => columns.length));
    this.#bestA = new Int32Array(widest);
    this.#bestB = new Int32Array(widest);
  }

  /** Key values, as the trace tells them. */
  key(row: number): readonly unknown[] {
    return JSON.parse(this.trace.rows.key[row] ?? "[]") as unknown[];
  }

  policy(table: number, column: number): MergePolicy {
    return this.#policiesOf[table]?.[column] ?? "lww";
  }

  /** The largest causal length that the vision has of the row; 0 for none. */
  causalLength(row: number, vision: Vision): number {
    const { writeStart, writeVersion, writeLength } = this.trace.rows;
    const end = writeStart[row + 1] as number;
    let length = 0;
    for (let w = writeStart[row] as number; w < end; w++)
      if ((writeLength[w] as number) > length && sees(vision, writeVersion[w] as number))
        length = writeLength[w] as number;
    return length;
  }

  /** True when both visions show the same living row, or none: what they add to a state hash is equal. */
  same(row: number, a: Vision, b: Vision): boolean {
    return this.differingColumns(row, a, b)?.length === 0;
  }

  /**
   * Columns in which the visions differ; null when the row as a whole differs: it is there in one
   * alone, it is in another life, or (without columns of its own) another write made it.
   */
  differingColumns(row: number, a: Vision, b: Vision): readonly number[] | null {
    const length = this.causalLength(row, a);
    const other = this.causalLength(row, b);
    if (length % 2 === 0 && other % 2 === 0) return none;
    if (length !== other) return null;
    if (this.#sentinel(row, a, length) !== this.#sentinel(row, b, length)) return null;
    const table = this.trace.rows.table[row] as number;
    const columns = this.trace.rows.tables[table]?.columns.length ?? 0;
    this.#winners(row, a, length, this.#bestA);
    this.#winners(row, b, length, this.#bestB);
    let differing: number[] | null = null;
    for (let c = 0; c < columns; c++)
      if (this.#bestA[c] !== this.#bestB[c] || !this.#sameAdditions(row, c, length, a, b))
        (differing ??= []).push(c);
    return differing ?? none;
  }

  #sameAdditions(row: number, c: number, length: number, a: Vision, b: Vision): boolean {
    if (this.policy(this.trace.rows.table[row] as number, c) !== "counter") return true;
    const x = this.#additions(row, c, length, a);
    const y = this.#additions(row, c, length, b);
    return x.length === y.length && x.every((write, i) => write === y[i]);
  }

  state(row: number, vision: Vision): RowState {
    const causalLength = this.causalLength(row, vision);
    const alive = causalLength % 2 === 1;
    if (!alive) return { causalLength, alive, cells: [] };
    const { table: tables, tables: infos } = this.trace.rows;
    const table = tables[row] as number;
    const { name, columns } = infos[table] ?? { name: "", columns: [] };
    const best = new Int32Array(columns.length);
    this.#winners(row, vision, causalLength, best);
    const schema = this.policies.table(name);
    const cells = columns.map((column, c): CellState => {
      const write = best[c] as number;
      const fallback = schema?.columns.find((one) => one.name === column)?.defaultValue ?? null;
      const base = write < 0 ? fallback : this.value(write, c);
      if (this.policy(table, c) !== "counter") return { column, value: base, write, additions: [] };
      const additions = this.#additions(row, c, causalLength, vision);
      return { column, value: this.#counter(base, additions, c), write, additions };
    });
    return { causalLength, alive, cells };
  }

  /** The value that write `w` gives column `c`; null if it says nothing of it. */
  value(w: number, c: number): Value {
    const untagged = untagValue(this.#cell(w, c) ?? null);
    return untagged.ok ? untagged.value : null;
  }

  /** What write `w` adds to counter column `c`; undefined if it sets a value or says nothing. */
  addition(w: number, c: number): Value | undefined {
    const cell = this.#cell(w, c);
    if (!isObject(cell) || !("add" in cell)) return undefined;
    const untagged = untagValue(cell["add"]);
    return untagged.ok ? untagged.value : undefined;
  }

  /** True when write `w` writes column `c`. */
  writes(w: number, c: number): boolean {
    const { cellStart, cellColumn } = this.trace.rows;
    const end = cellStart[w + 1] as number;
    for (let i = cellStart[w] as number; i < end; i++) if (cellColumn[i] === c) return true;
    return false;
  }

  /** The latest write without cells of the life `length`, −1 for none (CR05). */
  #sentinel(row: number, vision: Vision, length: number): number {
    const { writeStart, writeVersion, writeLength, cellStart } = this.trace.rows;
    const { rank } = this.trace.versions;
    const end = writeStart[row + 1] as number;
    let best = -1;
    let bestRank = -1;
    for (let w = writeStart[row] as number; w < end; w++) {
      const version = writeVersion[w] as number;
      if (writeLength[w] !== length || cellStart[w] !== cellStart[w + 1]) continue;
      if ((rank[version] as number) <= bestRank || !sees(vision, version)) continue;
      best = w;
      bestRank = rank[version] as number;
    }
    return best;
  }

  /** By column the deciding write among those of the life `length`, −1 for none. */
  #winners(row: number, vision: Vision, length: number, best: Int32Array): void {
    const { writeStart, writeVersion, writeLength, cellStart, cellColumn, table } = this.trace.rows;
    const { rank } = this.trace.versions;
    const tableId = table[row] as number;
    best.fill(-1);
    const end = writeStart[row + 1] as number;
    for (let w = writeStart[row] as number; w < end; w++) {
      const version = writeVersion[w] as number;
      if (writeLength[w] !== length || !sees(vision, version)) continue;
      const cellEnd = cellStart[w + 1] as number;
      for (let i = cellStart[w] as number; i < cellEnd; i++) {
        const c = cellColumn[i] as number;
        const held = best[c] as number;
        const policy = this.policy(tableId, c);
        if (policy === "counter" && this.addition(w, c) !== undefined) continue;
        if (held < 0 || this.#beats(policy, c, w, held, rank)) best[c] = w;
      }
    }
  }

  #beats(policy: MergePolicy, c: number, w: number, held: number, rank: Int32Array): boolean {
    const { writeVersion } = this.trace.rows;
    const later =
      (rank[writeVersion[w] as number] as number) > (rank[writeVersion[held] as number] as number);
    if (policy !== "max" && policy !== "min") return later;
    const x = this.value(w, c);
    const y = this.value(held, c);
    if (x === null || y === null) return x === y ? later : x !== null;
    const order = compareValues(x, y);
    return order === 0 ? later : policy === "max" ? order > 0 : order < 0;
  }

  /** The latest addition of each actor to counter `c` in the life `length`, by actor. */
  #additions(row: number, c: number, length: number, vision: Vision): number[] {
    const { writeStart, writeVersion, writeLength } = this.trace.rows;
    const { actor, rank } = this.trace.versions;
    const latest = new Map<number, number>();
    const end = writeStart[row + 1] as number;
    for (let w = writeStart[row] as number; w < end; w++) {
      const version = writeVersion[w] as number;
      if (writeLength[w] !== length || !sees(vision, version) || !this.writes(w, c)) continue;
      if (this.addition(w, c) === undefined) continue;
      const by = actor[version] as number;
      const held = latest.get(by);
      const heldVersion = held === undefined ? -1 : (writeVersion[held] as number);
      if (heldVersion < 0 || (rank[version] as number) > (rank[heldVersion] as number))
        latest.set(by, w);
    }
    return [...latest.keys()].sort((a, b) => a - b).map((by) => latest.get(by) as number);
  }

  /** An actor's total at one of its additions: that one and its own earlier ones of the same life. */
  total(addition: number, c: number): Value {
    const { writeVersion, writeLength, writeStart } = this.trace.rows;
    const { actor, rank } = this.trace.versions;
    const version = writeVersion[addition] as number;
    const row = this.#rowOf(addition);
    const terms: Tally[] = [];
    const end = writeStart[row + 1] as number;
    for (let w = writeStart[row] as number; w < end; w++) {
      const other = writeVersion[w] as number;
      if (writeLength[w] !== writeLength[addition] || actor[other] !== actor[version]) continue;
      if ((rank[other] as number) > (rank[version] as number) || !this.writes(w, c)) continue;
      const term = this.addition(w, c);
      if (term !== undefined && isCount(term)) terms.push({ total: term } as Tally);
    }
    return counterValue({ base: 0, tallies: terms });
  }

  #counter(base: Value, additions: readonly number[], c: number): Value {
    if (!isCount(base)) return base;
    const tallies = additions.map((w) => ({ total: this.total(w, c) }) as Tally);
    return counterValue({ base, tallies });
  }

  #rowOf(write: number): number {
    const { writeStart, count } = this.trace.rows;
    let low = 0;
    let high = count;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if ((writeStart[middle] as number) <= write) low = middle;
      else high = middle;
    }
    return low;
  }

  #cell(w: number, c: number): unknown {
    const { writeVersion, writeChange, tables, table } = this.trace.rows;
    const change = this.#changes(writeVersion[w] as number)[writeChange[w] as number];
    const name = tables[table[this.#rowOf(w)] as number]?.columns[c];
    const cells = (change as readonly unknown[] | undefined)?.[3];
    if (!Array.isArray(cells)) return undefined;
    return (cells as (readonly [string, unknown])[]).find(([column]) => column === name)?.[1];
  }

  #changes(version: number): readonly unknown[] {
    const known = this.#parsed.get(version);
    if (known !== undefined) return known;
    const side = this.trace.versions.side[version] as number;
    const changes = side < 0 ? [] : (sideObject(this.trace, side)["changes"] as unknown[]);
    if (this.#parsed.size >= maxParsedCommits)
      this.#parsed.delete(this.#parsed.keys().next().value as number);
    this.#parsed.set(version, changes);
    return changes;
  }
}

export function sees({ since, event }: Vision, version: number): boolean {
  if (since === null) return false;
  const from = since[version] as number;
  return from >= 0 && from <= event;
}
