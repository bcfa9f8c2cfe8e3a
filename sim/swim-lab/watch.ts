/**
 * What is checked after every change of every view: incarnations never fall, nobody rises from the
 * dead without a higher incarnation or identity, no state follows another that it may not follow,
 * no running node takes itself for gone, and everything stays within its bounds.
 */
import { compareIds, type NodeId } from "../../core/base/ids.ts";
import type { MemberState, Notice } from "../../core/node/event.ts";
import type { SwimLab } from "./lab.ts";

export interface Violation {
  readonly check: string;
  readonly atMs: number;
  readonly node: number;
  readonly detail: string;
}

interface View {
  nodeId: NodeId;
  epoch: number;
  incarnation: number;
  state: MemberState;
}

const maxViolations = 100;

export class Watch {
  readonly violations: Violation[] = [];
  readonly #lab: SwimLab;
  /** By observer, then by subject. */
  readonly #views: (Map<number, View> | undefined)[] = [];

  constructor(lab: SwimLab) {
    this.#lab = lab;
  }

  booted(node: number): void {
    this.#views[node] = new Map();
  }

  crashed(node: number): void {
    this.#views[node] = undefined;
  }

  noticed(node: number, notice: Notice): void {
    const views = this.#views[node];
    if (views === undefined) return;
    if (notice.type === "forgotten") {
      // Kept: what follows must be a larger identity, or someone that was long gone.
      const view = views.get(this.#lab.indexOf(notice.about));
      if (view !== undefined && (view.state === "down" || view.state === "left")) {
        views.delete(this.#lab.indexOf(notice.about));
      }
      return;
    }
    if (notice.type !== "member") return;
    const about = this.#lab.indexOf(notice.about);
    const { nodeId, epoch, incarnation, state } = notice;
    if (about === node) this.#fail("self", node, "a node tells of itself as of another");
    const held = views.get(about);
    if (held !== undefined) this.#compare(node, about, held, notice);
    views.set(about, { nodeId, epoch, incarnation, state });
  }

  /** Looks at every running node: it is alive in its own eyes, and its queues are within their bounds. */
  inspect(): void {
    for (const node of this.#lab.running()) {
      const { membership, index } = node;
      const own = membership.memberOf(membership.identity.address);
      const right = membership.leaving ? "left" : "alive";
      if (own?.state !== right) this.#fail("self", index, `is ${own?.state} in its own eyes`);
      for (const { name, size, max } of membership.stats().queues) {
        if (size > max) this.#fail("bounds", index, `${name}: ${size} of ${max}`);
      }
    }
  }

  #compare(
    node: number,
    about: number,
    held: View,
    said: Extract<Notice, { type: "member" }>,
  ): void {
    const identity = said.epoch - held.epoch || compareIds(said.nodeId, held.nodeId);
    const step = `n${about}: ${text(held)} -> ${text(said)}`;
    if (identity < 0) this.#fail("identity", node, step);
    if (identity !== 0) return;
    if (said.incarnation < held.incarnation) this.#fail("incarnation", node, step);
    const gone = held.state === "down" || held.state === "left";
    const back = said.state === "alive" || said.state === "suspect";
    const same = said.incarnation === held.incarnation;
    if (gone && back && same) this.#fail("resurrection", node, step);
    if (same && held.state === "suspect" && said.state === "alive") {
      this.#fail("transition", node, step);
    }
    if (same && held.state === "left") this.#fail("transition", node, step);
    if (same && held.state === said.state) this.#fail("transition", node, step);
  }

  #fail(check: string, node: number, detail: string): void {
    if (this.violations.length >= maxViolations) return;
    this.violations.push({ check, atMs: this.#lab.nowMs, node, detail });
  }
}

function text(view: { state: MemberState; incarnation: number; epoch: number }): string {
  return `${view.state}(${view.incarnation}) of epoch ${view.epoch}`;
}
