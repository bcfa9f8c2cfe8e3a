/** Every queue and buffer of a replica stays within the maximum that it names. */
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";

const nodesPerSample = 16;

export class Bounds implements Check {
  readonly #context: CheckContext;
  #next = 0;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  sample(): void {
    const { nodes } = this.#context;
    for (let i = 0; i < Math.min(nodesPerSample, nodes.length); i++) {
      this.#judge(nodes[this.#next++ % nodes.length] as SimNode);
    }
  }

  atEnd(): void {
    for (const node of this.#context.nodes) this.#judge(node);
  }

  #judge(node: SimNode): void {
    if (node.replica === null) return;
    for (const { name, size, max } of node.replica.stats().queues) {
      if (size > max) {
        this.#context.report("bounds", node.n, `${name} holds ${size}; its bound is ${max}`);
      }
    }
  }
}
