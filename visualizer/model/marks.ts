/** The moments worth jumping to: faults, divergence, convergence, violations, node life. */
import type { AgreementSteps } from "./convergence.ts";
import { Kind, kindName } from "./kinds.ts";
import type { Timeline } from "./timeline.ts";
import { nodeName, sideObject, type Trace } from "./trace.ts";

export type MarkKind = "fault" | "heal" | "divergence" | "convergence" | "violation" | "node";

export interface Mark {
  readonly kind: MarkKind;
  readonly t: number;
  /** The event it stands for, −1 for divergence and convergence, which are no events. */
  readonly event: number;
  readonly text: string;
}

/** At most this many marks of each kind are listed; a flapping run has more than anybody can read. */
const maxMarksPerKind = 2000;

export function buildMarks(trace: Trace, timeline: Timeline, agreement: AgreementSteps): Mark[] {
  const marks: Mark[] = [];
  const counts = new Map<MarkKind, number>();
  const add = (mark: Mark): void => {
    const count = counts.get(mark.kind) ?? 0;
    counts.set(mark.kind, count + 1);
    if (count < maxMarksPerKind) marks.push(mark);
  };
  const end = trace.count === 0 ? 0 : (trace.t[trace.count - 1] as number);
  for (const band of timeline.bands) {
    add({ kind: "fault", t: band.from, event: band.event, text: band.text });
    if (band.to < end) add({ kind: "heal", t: band.to, event: -1, text: `end of ${band.text}` });
  }
  for (let i = 0; i < trace.count; i++) {
    const kind = trace.kind[i] as number;
    if (kind === Kind.violation) {
      const { check, detail } = sideObject(trace, trace.ref[i] as number);
      const text = [check, detail].filter((part) => typeof part === "string").join(": ");
      add({ kind: "violation", t: trace.t[i] as number, event: i, text });
    } else if (kind >= Kind.crash && kind <= Kind.join) {
      const text = `${nodeName(trace, trace.node[i] as number)}: ${kindName(kind)}`;
      add({ kind: "node", t: trace.t[i] as number, event: i, text });
    }
  }
  addAgreement(agreement, add);
  return marks.sort((a, b) => a.t - b.t || a.event - b.event);
}

/** Where running nodes stop holding one and the same state, and where they hold one again. */
function addAgreement({ t, distinct, live }: AgreementSteps, add: (mark: Mark) => void): void {
  let apart = false;
  let since = 0;
  for (let i = 0; i < t.length; i++) {
    const now = (distinct[i] as number) > 1;
    if (now === apart) continue;
    apart = now;
    const at = t[i] as number;
    if (apart) {
      since = at;
      add({ kind: "divergence", t: at, event: -1, text: "nodes begin to differ" });
    } else {
      const seconds = ((at - since) / 1e6).toFixed(3);
      const text = `all ${live[i]} running nodes agree, after ${seconds} s`;
      add({ kind: "convergence", t: at, event: -1, text });
    }
  }
}

/** The next mark of one of `kinds` after `t` (or the last before it); null if there is none. */
export function nextMark(
  marks: readonly Mark[],
  kinds: readonly MarkKind[],
  t: number,
  direction: 1 | -1 = 1,
): Mark | null {
  const wanted = marks.filter((mark) => kinds.includes(mark.kind));
  if (direction === 1) return wanted.find((mark) => mark.t > t) ?? null;
  return wanted.findLast((mark) => mark.t < t) ?? null;
}
