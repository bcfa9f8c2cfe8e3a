/** A check that looks at each node by itself: at some of them in turns while the run goes on, at all in the end. */
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";

/** Larger clusters are looked at in turns. */
const nodesPerSample = 16;

export abstract class NodeByNode implements Check {
  protected readonly context: CheckContext;
  #next = 0;

  constructor(context: CheckContext) {
    this.context = context;
  }

  sample(): void {
    const { nodes } = this.context;
    for (let i = 0; i < Math.min(nodesPerSample, nodes.length); i++) {
      this.judge(nodes[this.#next++ % nodes.length] as SimNode);
    }
  }

  atEnd(): void {
    for (const node of this.context.nodes) this.judge(node);
  }

  protected abstract judge(node: SimNode): void;
}
