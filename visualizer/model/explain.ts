/**
 * Why a cell shows what it shows, in words: every write that ever competed for it, with causal
 * length, stamp and author, and the rule by which each of them won or lost (`core/SPEC.md`, CR).
 */
import type { MergePolicy } from "../../core/crdt/schema.ts";
import { formatDuration, formatValue, signed } from "./format.ts";
import { coveredFrom } from "./covered.ts";
import { heldSince } from "./held.ts";
import { type RowReader, sees, type Vision } from "./row-reader.ts";
import { nodeName, type Trace } from "./trace.ts";
import { eventsOf, type TraceIndex } from "./trace-index.ts";

export type Verdict =
  | "wins"
  /** An addition to a counter: all of them count. */
  | "counts"
  /** Of a life that is over. */
  | "older life"
  /** Same life, smaller stamp (or, stamps equal, smaller actor id). */
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
        : formatValue(cell.value)
      : state.causalLength === 0
        ? "no such row"
        : "deleted",
    sentences: [
      ...sentencesOf(reader, question, policy, candidates),
      ...missingSentences(trace, index, question, candidates, lastEvent),
    ],
    candidates,
  };
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
  if (policy === "max" || policy === "min") return "lesser value";
  return "older stamp";
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

function sentencesOf(
  reader: RowReader,
  question: Question,
  policy: MergePolicy,
  candidates: readonly Candidate[],
): string[] {
  const { trace } = reader;
  const who = question.node < 0 ? "The merge" : nodeName(trace, question.node);
  const winner = candidates.find(({ verdict }) => verdict === "wins");
  const sentences: string[] = [];
  const state = reader.state(question.row, question.vision);
  if (state.causalLength === 0) sentences.push(`${who} has not heard of this row.`);
  else if (!state.alive && winner !== undefined)
    sentences.push(
      `${who} has deleted the row: ${winner.name} raised its causal length to ${winner.causalLength}, an even number, and a delete beats every update of the life it ended.`,
    );
  else if (winner === undefined)
    sentences.push(
      `${who} shows the column's default: nobody has written it in this life of the row.`,
    );
  else if (question.column < 0) sentences.push(...whyThere(winner, candidates, who));
  else sentences.push(...whyWins(winner, candidates, policy, who));
  const counting = candidates.filter(({ verdict }) => verdict === "counts");
  if (counting.length > 0)
    sentences.push(
      `It is a counter: ${counting.map(({ name }) => name).join(", ")} ${counting.length === 1 ? "adds" : "all add"} to it, whoever came later.`,
    );
  return sentences;
}

function whyWins(
  winner: Candidate,
  candidates: readonly Candidate[],
  policy: MergePolicy,
  who: string,
): string[] {
  const alone = candidates.every((one) => one === winner || one.verdict === "not received");
  const sentences = [
    alone
      ? `${who} shows ${winner.value}, written by ${winner.name}: nothing else competes for it.`
      : `${who} shows ${winner.value}, written by ${winner.name}.`,
  ];
  const rival = candidates.find(({ verdict }) => verdict === "older stamp");
  if (rival !== undefined) sentences.push(overStamp(winner, rival));
  const lesser = candidates.find(({ verdict }) => verdict === "lesser value");
  if (lesser !== undefined)
    sentences.push(
      `The column keeps the ${policy === "max" ? "largest" : "smallest"} value, so ${lesser.name} (${lesser.value}) gives way whatever its stamp.`,
    );
  const old = candidates.filter(({ verdict }) => verdict === "older life" || verdict === "undone");
  if (old.length > 0)
    sentences.push(
      `The row was deleted and inserted again, so its causal length is ${winner.causalLength}: ${lifeSentence(old, winner)}`,
    );
  return sentences;
}

/** Of a row as a whole: the life that it is in. */
function whyThere(winner: Candidate, candidates: readonly Candidate[], who: string): string[] {
  const old = candidates.filter(({ verdict }) => verdict === "older life" || verdict === "undone");
  const life = (winner.causalLength + 1) / 2;
  const sentence = `${who} has the row, in its ${life === 1 ? "first" : `${life}${ordinal(life)}`} life (causal length ${winner.causalLength}); last written by ${winner.name}.`;
  if (old.length === 0) return [sentence];
  return [sentence, `It was deleted and inserted again: ${lifeSentence(old, winner)}`];
}

function ordinal(n: number): string {
  return n === 2 ? "nd" : n === 3 ? "rd" : "th";
}

function lifeSentence(old: readonly Candidate[], winner: Candidate): string {
  const count = old.length === 1 ? "the one write" : `the ${old.length} writes`;
  const late = old.some((one) => later(one, winner));
  return `${count} of earlier lives no longer count${old.length === 1 ? "s" : ""}${late ? ", although one of them has a later stamp" : ""}.`;
}

function later(a: Candidate, b: Candidate): boolean {
  return a.ms !== b.ms ? a.ms > b.ms : a.counter > b.counter;
}

function overStamp(winner: Candidate, rival: Candidate): string {
  const apart = winner.ms - rival.ms;
  const over = `${rival.name} wrote ${rival.value}`;
  if (apart > 0) {
    const order =
      winner.committedAt < rival.committedAt
        ? " (it was written earlier in real time: the author's clock was ahead)"
        : "";
    return `${over}, but its stamp is ${formatDuration(apart * 1000)} older, and the later stamp wins${order}.`;
  }
  if (winner.counter !== rival.counter)
    return `${over} in the same millisecond with counter ${rival.counter}; ${winner.name} has ${winner.counter}, and the larger counter wins.`;
  return `${over} with the very same stamp; then the larger actor id decides: ${winner.actor.slice(0, 8)}… over ${rival.actor.slice(0, 8)}….`;
}

/** At most this many missing writes are told in words; the table lists them all. */
const maxMissingTold = 3;

function missingSentences(
  trace: Trace,
  index: TraceIndex,
  { node }: Question,
  candidates: readonly Candidate[],
  event: number,
): string[] {
  if (node < 0) return [];
  const now = trace.t[event] ?? 0;
  const who = nodeName(trace, node);
  const missing = candidates
    .filter(({ verdict }) => verdict === "not received")
    .sort((a, b) => b.committedAt - a.committedAt);
  const told = missing.slice(0, maxMissingTold).map((one) => {
    const ago = formatDuration(Math.max(0, now - one.committedAt));
    return `${who} has not received ${one.name} (${one.value}), written ${ago} ago; ${fate(trace, index, node, one, event)}.`;
  });
  const rest = missing.length - told.length;
  return rest > 0 ? [...told, `${rest} more writes of this row are missing here.`] : told;
}

/** What becomes of a write that node `node` lacks. */
function fate(
  trace: Trace,
  index: TraceIndex,
  node: number,
  { heldFrom, version }: Candidate,
  event: number,
): string {
  const now = trace.t[event] ?? 0;
  if (heldFrom > now) return `it arrives ${formatDuration(heldFrom - now)} later`;
  const { actor, number } = trace.versions;
  const covered = coveredFrom(
    trace,
    eventsOf(index, node),
    actor[version] as number,
    number[version] as number,
    event,
  );
  if (covered < 0) return "it never arrives within this trace";
  const later = formatDuration((trace.t[covered] as number) - now);
  return `by ${later} later newer writes have replaced it, so that its content never needs to arrive`;
}
