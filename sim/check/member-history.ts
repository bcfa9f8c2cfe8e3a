/**
 * How each node's opinion of each member may change: identities and incarnations never go back;
 * nobody who is down or left comes back to life without a higher incarnation; a running node is
 * never down or left in its own eyes.
 */
import type { Address } from "../../core/base/ids.ts";
import type { MemberState, Notice } from "../../core/node/event.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";

interface Opinion {
  epoch: number;
  nodeId: string;
  incarnation: number;
  state: MemberState;
}

export class MemberHistory implements Check {
  readonly #context: CheckContext;
  /** Per observing node, by address. */
  readonly #opinions: Map<Address, Opinion>[] = [];

  constructor(context: CheckContext) {
    this.#context = context;
  }

  booted(node: SimNode): void {
    this.#opinions[node.n] = new Map();
  }

  noticed(node: SimNode, notice: Notice): void {
    if (notice.type === "forgotten") this.#opinions[node.n]?.delete(notice.about);
    if (notice.type !== "member") return;
    const { about, nodeId, state, incarnation, epoch } = notice;
    if (about === node.address && node.live && (state === "down" || state === "left")) {
      this.#report(node, `takes itself for ${state}`);
    }
    const opinions = this.#opinions[node.n] as Map<Address, Opinion>;
    const held = opinions.get(about);
    if (held === undefined) {
      opinions.set(about, { epoch, nodeId, incarnation, state });
      return;
    }
    const problem = illegal(held, notice);
    if (problem !== null) this.#report(node, `of ${about}: ${problem}`);
    held.epoch = epoch;
    held.nodeId = nodeId;
    held.incarnation = incarnation;
    held.state = state;
  }

  #report(node: SimNode, detail: string): void {
    this.#context.report("member-history", node.n, detail);
  }
}

function illegal(held: Opinion, now: Extract<Notice, { type: "member" }>): string | null {
  if (now.epoch < held.epoch || (now.epoch === held.epoch && now.nodeId < held.nodeId)) {
    return `identity goes back from epoch ${held.epoch} to ${now.epoch}`;
  }
  if (now.epoch !== held.epoch || now.nodeId !== held.nodeId) return null;
  if (now.incarnation < held.incarnation) {
    return `incarnation goes back from ${held.incarnation} to ${now.incarnation}`;
  }
  const gone = held.state === "down" || held.state === "left";
  const there = now.state === "alive" || now.state === "suspect";
  if (gone && there && now.incarnation === held.incarnation) {
    return `${held.state} becomes ${now.state} at the same incarnation ${now.incarnation}`;
  }
  return null;
}
