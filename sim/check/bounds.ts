/** Every queue and buffer of a replica stays within the maximum that it names. */
import type { SimNode } from "../host/node.ts";
import { NodeByNode } from "./node-by-node.ts";

export class Bounds extends NodeByNode {
  protected override judge(node: SimNode): void {
    if (node.replica === null) return;
    for (const { name, size, max } of node.replica.stats().queues) {
      if (size > max) {
        this.context.report("bounds", node.n, `${name} holds ${size}; its bound is ${max}`);
      }
    }
  }
}
