/**
 * Membership accurate and complete after healing: every live node knows every live node as alive,
 * by its present identity, and nobody else as alive or suspect.
 */
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";

/** Past this size the lists of this many nodes are compared in full, and the rest by their digests. */
const observersCompared = 64;

export class MembershipCheck implements Check {
  readonly #context: CheckContext;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  atEnd(): void {
    for (const { node, detail } of membershipProblems(this.#context.nodes)) {
      this.#context.report("membership", node, detail);
    }
  }
}

interface Problem {
  readonly node: number;
  readonly detail: string;
}

/** The first problem of each observer; none when membership is as it should be. */
export function membershipProblems(nodes: readonly SimNode[], atMost = Infinity): Problem[] {
  const live = nodes.filter((node) => node.live && node.replica !== null);
  const digests = new Set<number>();
  const problems: Problem[] = [];
  for (const [i, observer] of live.entries()) {
    const digest = observer.replica?.membership.digest ?? 0;
    // Equal digests are equal lists: one of each is enough.
    if (digests.has(digest)) continue;
    digests.add(digest);
    if (i >= observersCompared && digests.size > observersCompared) continue;
    const detail = problemOf(observer, nodes);
    if (detail !== null) problems.push({ node: observer.n, detail });
    if (problems.length >= atMost) break;
  }
  return problems;
}

function problemOf(observer: SimNode, nodes: readonly SimNode[]): string | null {
  const membership = observer.replica?.membership;
  if (membership === undefined) return null;
  for (const subject of nodes) {
    const member = membership.memberOf(subject.address);
    const state = member?.state ?? "unknown";
    if (subject.live) {
      if (member === undefined || state !== "alive") {
        return `holds node ${subject.n}, which is alive, for ${state}`;
      }
      if (member.epoch !== subject.epoch || member.nodeId !== subject.nodeId) {
        return `knows an old identity of node ${subject.n}: epoch ${member.epoch}, not ${subject.epoch}`;
      }
    } else if ((state === "alive" || state === "suspect") && member?.nodeId === subject.nodeId) {
      // Another node may have its address: then it is that one which is meant.
      return `holds node ${subject.n}, which is ${subject.life}, for ${state}`;
    }
  }
  return null;
}
