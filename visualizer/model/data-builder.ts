/** Versions, rows and cells, gathered while a trace is read. */
import { grown, IntList } from "./grow.ts";
import { IndexMap } from "./index-map.ts";
import type { RowTable, TracedTable, VersionTable } from "./trace.ts";

export class VersionBuilder {
  #actor = new IntList();
  #number = new IntList();
  #commit = new IntList();
  #side = new IntList();
  #ms = new Float64Array(64);
  #counter = new IntList();
  #idOf: IndexMap[] = [];

  get count(): number {
    return this.#actor.length;
  }

  /** The id of an actor's version; a new one the first time. */
  id(actor: number, number: number): number {
    const byNumber = (this.#idOf[actor] ??= new IndexMap());
    const known = byNumber.get(number);
    if (known >= 0) return known;
    const id = this.#actor.length;
    byNumber.set(number, id);
    this.#actor.push(actor);
    this.#number.push(number);
    this.#commit.push(-1);
    this.#side.push(-1);
    this.#ms = grown(this.#ms, id + 1);
    this.#ms[id] = 0;
    this.#counter.push(0);
    return id;
  }

  committed(id: number, event: number, side: number, ms: number, counter: number): void {
    this.#commit.set(id, event);
    this.#side.set(id, side);
    this.#ms[id] = ms;
    this.#counter.set(id, counter);
  }

  table(actorIds: readonly string[]): VersionTable {
    const count = this.count;
    const actor = this.#actor.toArray();
    const ms = this.#ms.slice(0, count);
    const counter = Uint16Array.from(this.#counter.toArray());
    const number = this.#number.toArray();
    const order = actorOrder(actorIds);
    const sorted = Int32Array.from({ length: count }, (_, i) => i).sort(
      (a, b) =>
        (ms[a] as number) - (ms[b] as number) ||
        (counter[a] as number) - (counter[b] as number) ||
        (order[actor[a] as number] as number) - (order[actor[b] as number] as number) ||
        (number[a] as number) - (number[b] as number),
    );
    const rank = new Int32Array(count);
    for (let i = 0; i < count; i++) rank[sorted[i] as number] = i;
    return {
      count,
      actor,
      number,
      commit: this.#commit.toArray(),
      side: this.#side.toArray(),
      ms,
      counter,
      rank,
    };
  }
}

/** Place of each actor in the order of their ids. */
function actorOrder(ids: readonly string[]): Int32Array {
  const sorted = ids.map((_, i) => i).sort((a, b) => compareText(ids[a] ?? "", ids[b] ?? ""));
  const order = new Int32Array(ids.length);
  for (const [place, i] of sorted.entries()) order[i] = place;
  return order;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface TableBuilder {
  readonly name: string;
  readonly columns: string[];
  readonly columnIndex: Map<string, number>;
  readonly rowOf: Map<string, number>;
}

export class RowBuilder {
  #tables: TableBuilder[] = [];
  #tableIndex = new Map<string, number>();
  #rowTable = new IntList();
  #rowKey: string[] = [];
  #writeRow = new IntList();
  #writeVersion = new IntList();
  #writeLength = new IntList();
  #writeChange = new IntList();
  #cellStart = new IntList();
  #cellColumn = new IntList();

  /**
   * Takes the changes of a commit.
   * @returns what is wrong with their shape, or null; then nothing of them was taken.
   */
  add(version: number, changes: unknown): string | null {
    if (!Array.isArray(changes)) return "changes is not a list";
    const wrong = changes.findIndex((change) => !isChange(change));
    if (wrong >= 0) return `change ${wrong} is not [table, key, length, cells]`;
    for (const [i, change] of (changes as Change[]).entries()) this.#write(version, i, change);
    return null;
  }

  #write(version: number, index: number, [name, key, causalLength, cells]: Change): void {
    const tableId = this.#table(name);
    const table = this.#tables[tableId] as TableBuilder;
    const text = JSON.stringify(key);
    let row = table.rowOf.get(text);
    if (row === undefined) {
      row = this.#rowKey.length;
      table.rowOf.set(text, row);
      this.#rowKey.push(text);
      this.#rowTable.push(tableId);
    }
    this.#writeRow.push(row);
    this.#writeVersion.push(version);
    this.#writeLength.push(causalLength);
    this.#writeChange.push(index);
    this.#cellStart.push(this.#cellColumn.length);
    for (const [column] of cells) this.#cellColumn.push(columnOf(table, column));
  }

  #table(name: string): number {
    let id = this.#tableIndex.get(name);
    if (id === undefined) {
      id = this.#tables.length;
      this.#tableIndex.set(name, id);
      this.#tables.push({ name, columns: [], columnIndex: new Map(), rowOf: new Map() });
    }
    return id;
  }

  table(): RowTable {
    const rows = this.#rowKey.length;
    const writes = this.#writeRow.length;
    const writeRow = this.#writeRow.toArray();
    const writeStart = new Int32Array(rows + 1);
    for (let w = 0; w < writes; w++) {
      const next = (writeRow[w] as number) + 1;
      writeStart[next] = (writeStart[next] as number) + 1;
    }
    for (let r = 0; r < rows; r++)
      writeStart[r + 1] = (writeStart[r + 1] as number) + (writeStart[r] as number);

    const next = writeStart.slice();
    const writeVersion = new Int32Array(writes);
    const writeLength = new Int32Array(writes);
    const writeChange = new Int32Array(writes);
    const oldPlace = new Int32Array(writes);
    for (let w = 0; w < writes; w++) {
      const row = writeRow[w] as number;
      const at = next[row] as number;
      next[row] = at + 1;
      writeVersion[at] = this.#writeVersion.at(w);
      writeLength[at] = this.#writeLength.at(w);
      writeChange[at] = this.#writeChange.at(w);
      oldPlace[at] = w;
    }
    const [cellStart, cellColumn] = this.#cells(oldPlace);
    const tables: TracedTable[] = this.#tables.map(({ name, columns }) => ({
      name,
      columns: [...columns],
    }));
    return {
      count: rows,
      tables,
      table: this.#rowTable.toArray(),
      key: [...this.#rowKey],
      writeStart,
      writeVersion,
      writeLength,
      writeChange,
      cellStart,
      cellColumn,
    };
  }

  /** Cells in the new order of the writes. */
  #cells(oldPlace: Int32Array): [Int32Array<ArrayBuffer>, Int32Array<ArrayBuffer>] {
    const writes = oldPlace.length;
    const starts = new Int32Array(writes + 1);
    const columns = new Int32Array(this.#cellColumn.length);
    let at = 0;
    for (let w = 0; w < writes; w++) {
      starts[w] = at;
      const old = oldPlace[w] as number;
      const end = old + 1 < writes ? this.#cellStart.at(old + 1) : this.#cellColumn.length;
      for (let c = this.#cellStart.at(old); c < end; c++) columns[at++] = this.#cellColumn.at(c);
    }
    starts[writes] = at;
    return [starts, columns];
  }
}

function columnOf(table: TableBuilder, name: string): number {
  let id = table.columnIndex.get(name);
  if (id === undefined) {
    id = table.columns.length;
    table.columnIndex.set(name, id);
    table.columns.push(name);
  }
  return id;
}

type Change = readonly [
  string,
  readonly unknown[],
  number,
  readonly (readonly [string, unknown])[],
];

function isChange(value: unknown): value is Change {
  if (!Array.isArray(value)) return false;
  const [table, key, causalLength, cells] = value as unknown[];
  return (
    typeof table === "string" &&
    Array.isArray(key) &&
    Number.isSafeInteger(causalLength) &&
    (causalLength as number) > 0 &&
    Array.isArray(cells) &&
    cells.every((cell) => Array.isArray(cell) && typeof cell[0] === "string")
  );
}
