/**
 * Why a cell shows what it shows: every write that ever competed for it, with causal length, stamp
 * and author, and the rule by which each of them won or lost (`core/SPEC.md`, CR).
 */
import type { MergePolicy } from "../../core/crdt/schema.ts";
import { compareValues } from "../../core/crdt/value-order.ts";
import { whatIsMissing, whyShown } from "./explain-words.ts";
import { formatValue, signed } from "./format.ts";
import { heldSince } from "./held.ts";
import { type CellState, type RowReader, sees, type Vision } from "./row-reader.ts";
import { nodeName, type Trace } from "./trace.ts";
import type { TraceIndex } from "./trace-index.ts";

export type Verdict =
  | "wins"
  /** An addition to a counter: all of them count. */
  | "counts"
  /** Of a life that is over. */
  | "older life"
  /** Same life (under `max` or `min`: and same value), smaller stamp or, stamps equal, actor id. */
  | "older stamp"
  /** Same life, a value that `max` or `min` passes over. */
  | "lesser value"
  /** Its actor added again later; that total includes it. */
  | "included"
  /** Ended a life that began again. */
  | "undone"
  /** Not here yet. */
  | "not received";

export interface Candidate {
  readonly write: number;
  readonly version: number;
  readonly author: number;
  /** "n2:17": the author's version. */
  readonly name: string;
  readonly causalLength: number;
  readonly ms: number;
  readonly counter: number;
  readonly actor: string;
  /** The value as text; "deleted" for a delete, "+3" for an addition. */
  readonly value: string;
  readonly verdict: Verdict;
  readonly committedAt: number;
  /** When it reached the node asked about, microseconds; −1: not within the trace. */
  readonly heldFrom: number;
}

export interface Explanation {
  readonly title: string;
  /** What is shown, as text. */
  readonly value: string;
  readonly sentences: readonly string[];
  /** The winner first. */
  readonly candidates: readonly Candidate[];
}

export interface Question {
  readonly row: number;
  /** Index in the table's columns; −1 asks about the row itself. */
  readonly column: number;
  /** The node whose view it is; −1: that of the reference. */
  readonly node: number;
  readonly vision: Vision;
}

export function explain(reader: RowReader, index: TraceIndex, question: Question): Explanation {
  const { trace } = reader;
  const { row, column, vision } = question;
  const tableId = trace.rows.table[row] as number;
  const table = trace.rows.tables[tableId] ?? { name: "", columns: [] };
  const policy = column < 0 ? "lww" : reader.policy(tableId, column);
  const state = reader.state(row, vision);
  const cell = column < 0 ? undefined : state.cells[column];
  const lastEvent = Math.min(vision.event, trace.count - 1);
  const candidates = candidatesOf(reader, index, question, policy).sort(byStrength);
  const key = reader.key(row).map(formatValue).join(", ");
  return {
    title: `${table.name}[${key}]${column < 0 ? "" : `.${table.columns[column]}`}`,
    value: state.alive
      ? cell === undefined
        ? "row present"
        : cellText(trace, cell)
      : state.causalLength === 0
        ? "no such row"
        : "deleted",
    sentences: [
      ...whyShown(reader, index, question, policy, candidates),
      ...whatIsMissing(trace, index, question, candidates, lastEvent),
    ],
    candidates,
  };
}

/** The value; unknown where a live trace began after it was written. */
export function cellText({ header }: Trace, { value, write, additions }: CellState): string {
  if (header.source === "live" && write < 0)
    return additions.length === 0 ? "not in this trace" : `${formatValue(value)} more than before`;
  return formatValue(value);
}

const strength: Readonly<Record<Verdict, number>> = {
  wins: 0,
  counts: 1,
  included: 2,
  "lesser value": 3,
  "older stamp": 4,
  undone: 5,
  "older life": 6,
  "not received": 7,
};

function byStrength(a: Candidate, b: Candidate): number {
  return (
    strength[a.verdict] - strength[b.verdict] ||
    b.causalLength - a.causalLength ||
    b.ms - a.ms ||
    b.counter - a.counter ||
    (a.actor < b.actor ? 1 : -1)
  );
}

function candidatesOf(
  reader: RowReader,
  { held }: TraceIndex,
  { row, column, node, vision }: Question,
  policy: MergePolicy,
): Candidate[] {
  const { trace } = reader;
  const { writeStart, writeVersion, writeLength, cellStart } = trace.rows;
  const state = reader.state(row, vision);
  const cell = state.cells[column];
  const since = node < 0 ? null : heldSince(held, node, Math.min(vision.event, trace.count - 1));
  const candidates: Candidate[] = [];
  for (let w = writeStart[row] as number; w < (writeStart[row + 1] as number); w++) {
    const version = writeVersion[w] as number;
    const commit = trace.versions.commit[version] as number;
    if (node < 0 && !sees(vision, version)) continue;
    if (node >= 0 && commit > vision.event) continue;
    const length = writeLength[w] as number;
    const deletes = length % 2 === 0;
    const bare = cellStart[w] === cellStart[w + 1];
    if (column >= 0 && !deletes && !bare && !reader.writes(w, column)) continue;
    const heldFrom = since === null ? -1 : (since[version] as number);
    candidates.push({
      ...describe(trace, version),
      write: w,
      causalLength: length,
      value: valueText(reader, w, column, deletes),
      verdict: verdictOf(reader, w, policy, vision, state.causalLength, {
        row,
        column,
        winner: cell?.write ?? -1,
        additions: cell?.additions ?? [],
      }),
      heldFrom: heldFrom < 0 ? -1 : (trace.t[heldFrom] as number),
    });
  }
  return candidates;
}

function describe(
  trace: Trace,
  version: number,
): Pick<Candidate, "version" | "author" | "name" | "ms" | "counter" | "actor" | "committedAt"> {
  const { versions, actors } = trace;
  const actor = actors[versions.actor[version] as number] ?? { id: "", node: -1 };
  const commit = versions.commit[version] as number;
  const author = actor.node;
  return {
    version,
    author,
    name: `${author < 0 ? actor.id.slice(0, 6) : nodeName(trace, author)}:${versions.number[version]}`,
    ms: versions.ms[version] as number,
    counter: versions.counter[version] as number,
    actor: actor.id,
    committedAt: commit < 0 ? 0 : (trace.t[commit] as number),
  };
}

function valueText(reader: RowReader, w: number, column: number, deletes: boolean): string {
  if (deletes) return "deleted";
  if (column < 0 || !reader.writes(w, column)) return "row inserted";
  const added = reader.addition(w, column);
  if (added === undefined) return formatValue(reader.value(w, column));
  return signed(formatValue(added));
}

/** What is asked about, and what decided it. */
interface Contest {
  readonly row: number;
  readonly column: number;
  readonly winner: number;
  readonly additions: readonly number[];
}

function verdictOf(
  reader: RowReader,
  w: number,
  policy: MergePolicy,
  vision: Vision,
  life: number,
  { row, column, winner, additions }: Contest,
): Verdict {
  const { writeVersion, writeLength } = reader.trace.rows;
  if (!sees(vision, writeVersion[w] as number)) return "not received";
  const length = writeLength[w] as number;
  if (length < life) return length % 2 === 0 ? "undone" : "older life";
  if (w === winner) return "wins";
  if (column < 0 || life % 2 === 0)
    return isLatest(reader, row, w, vision) ? "wins" : "older stamp";
  if (reader.addition(w, column) !== undefined)
    return additions.includes(w) ? "counts" : "included";
  return (policy === "max" || policy === "min") && !sameValue(reader, column, w, winner)
    ? "lesser value"
    : "older stamp";
}

function sameValue(reader: RowReader, column: number, a: number, b: number): boolean {
  const [x, y] = [reader.value(a, column), reader.value(b, column)];
  return x === null || y === null ? x === y : compareValues(x, y) === 0;
}

/** Among the writes of its own causal length that the vision has, the one with the largest rank. */
function isLatest(reader: RowReader, row: number, w: number, vision: Vision): boolean {
  const { writeStart, writeVersion, writeLength } = reader.trace.rows;
  const { rank } = reader.trace.versions;
  const end = writeStart[row + 1] as number;
  for (let other = writeStart[row] as number; other < end; other++) {
    if (writeLength[other] !== writeLength[w] || !sees(vision, writeVersion[other] as number))
      continue;
    if (
      (rank[writeVersion[other] as number] as number) > (rank[writeVersion[w] as number] as number)
    )
      return false;
  }
  return true;
}
