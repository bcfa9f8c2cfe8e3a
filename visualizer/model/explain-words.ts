/** The sentences that tell why a cell shows what it shows; `explain.ts` gathers the facts. */
import type { MergePolicy } from "../../core/crdt/schema.ts";
import { coveredFrom } from "./covered.ts";
import type { Candidate, Question } from "./explain.ts";
import { formatDuration } from "./format.ts";
import { heldSince, holds } from "./held.ts";
import type { RowReader } from "./row-reader.ts";
import { nodeName, type Trace } from "./trace.ts";
import { eventsOf, type TraceIndex } from "./trace-index.ts";

/** Why the winner won, or why there is none. */
export function whyShown(
  reader: RowReader,
  index: TraceIndex,
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
  else if (winner === undefined) sentences.push(whyDefault(trace, candidates, policy, who));
  else if (question.column < 0) sentences.push(...whyThere(winner, candidates, who));
  else sentences.push(...whyWins(reader.trace, index, winner, candidates, policy, who));
  const counting = candidates.filter(({ verdict }) => verdict === "counts");
  if (counting.length > 0)
    sentences.push(
      `It is a counter: ${counting.map(({ name }) => name).join(", ")} ${counting.length === 1 ? "adds" : "all add"} to it, whoever came later.`,
    );
  return sentences;
}

/** A column that no write seen has set in this life of the row. */
function whyDefault(
  { header }: Trace,
  candidates: readonly Candidate[],
  policy: MergePolicy,
  who: string,
): string {
  if (header.source === "live")
    return `What ${who} shows was written before this trace began, or by a node that does not tell.`;
  const start = policy === "counter" ? "starts from" : "shows";
  const known = candidates.some(({ verdict }) => verdict === "not received");
  return known
    ? `${who} ${start} the column's default: no write that sets it in this life of the row has arrived.`
    : `${who} ${start} the column's default: nobody has set it in this life of the row.`;
}

function whyWins(
  trace: Trace,
  index: TraceIndex,
  winner: Candidate,
  candidates: readonly Candidate[],
  policy: MergePolicy,
  who: string,
): string[] {
  const alone = candidates.every((one) => one === winner || one.verdict === "not received");
  const shows = policy === "counter" ? "starts from" : "shows";
  const sentences = [
    alone
      ? `${who} ${shows} ${winner.value}, written by ${winner.name}: nothing else competes for it.`
      : `${who} ${shows} ${winner.value}, written by ${winner.name}.`,
  ];
  const rival = candidates.find(({ verdict }) => verdict === "older stamp");
  if (rival !== undefined)
    sentences.push(overStamp(winner, rival), whoKnew(trace, index, winner, rival));
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
        ? ` (although ${winner.name} was written earlier: its author's clock was ahead)`
        : "";
    return `${over}, but its stamp is ${formatDuration(apart * 1000)} older, and the later stamp wins${order}.`;
  }
  if (winner.counter !== rival.counter)
    return `${over} in the same millisecond with counter ${rival.counter}; ${winner.name} has ${winner.counter}, and the larger counter wins.`;
  return `${over} with the very same stamp; then the larger actor id decides: ${winner.actor.slice(0, 8)}… over ${rival.actor.slice(0, 8)}….`;
}

/** Whether the winner's author had the other write before it when it wrote. */
function whoKnew(
  { versions }: Trace,
  { held }: TraceIndex,
  winner: Candidate,
  rival: Candidate,
): string {
  if (winner.actor === rival.actor) return "One author wrote both, one after the other.";
  const knew = (one: Candidate, other: Candidate): boolean => {
    const commit = versions.commit[one.version] as number;
    return holds(heldSince(held, one.author, commit), other.version, commit);
  };
  if (knew(winner, rival)) return `${winner.name} was written by a node that had ${rival.name}.`;
  // A stamp later than one that is known is the rule; a clock that is far off may break it.
  if (knew(rival, winner)) return `${rival.name} was written by a node that had ${winner.name}.`;
  return "They were concurrent: neither author had the other's write.";
}

/** At most this many missing writes are told in words; the table lists them all. */
const maxMissingTold = 3;

/** What node `node` has not received yet, and what becomes of it. */
export function whatIsMissing(
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
