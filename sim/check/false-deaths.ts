/**
 * Nobody holds a member for dead who runs and whom it could reach: what the cuts, crashes and
 * standstills of a run excuse is not counted. Only in scenarios that say how often it may be.
 */
import type { Notice } from "../../core/node/event.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";

export class FalseDeaths implements Check {
  count = 0;
  readonly #context: CheckContext;
  readonly #allowed: number;

  constructor(context: CheckContext, allowed: number) {
    this.#context = context;
    this.#allowed = allowed;
  }

  noticed(observer: SimNode, notice: Notice): void {
    if (notice.type !== "member" || notice.state !== "down") return;
    const { about, nodeId, epoch } = notice;
    const { nodes } = this.#context;
    const subject = nodes.find((node) => node.address === about && node.nodeId === nodeId);
    // The death of an earlier life is no news of this one.
    if (subject === undefined || subject.epoch !== epoch || subject === observer) return;
    if (!well(subject) || !well(observer)) return;
    if (this.#context.apart(observer.n, subject.n)) return;
    this.count++;
    if (this.count <= this.#allowed) return;
    const detail = `holds node ${subject.n} for dead, which runs and can be reached; ${this.count} such, ${this.#allowed} allowed`;
    this.#context.report("false-deaths", observer.n, detail);
  }
}

function well(node: SimNode): boolean {
  return node.live && node.life === "running" && !node.blocked;
}
