/** The books that the protocol goes by agree with what the store holds, at every look. */
import type { ActorHoldings } from "../../core/node/store.ts";
import type { SimNode } from "../host/node.ts";
import { sortedHoldings } from "./held.ts";
import { NodeByNode } from "./node-by-node.ts";

export class Bookkeeping extends NodeByNode {
  protected override judge(node: SimNode): void {
    if (node.store === null || node.replica === null) return;
    const stored = describe(node.store.holdings());
    const booked = describe(node.replica.ledger.holdings());
    if (stored === booked) return;
    this.context.report(
      "bookkeeping",
      node.n,
      `the store holds ${stored}; the books say ${booked}`,
    );
  }
}

function describe(holdings: readonly ActorHoldings[]): string {
  return sortedHoldings(holdings)
    .map(({ actor, head, gaps, partial }) => {
      const holes = gaps.map(([from, to]) => ` without ${from}-${to}`).join("");
      const parts = partial.map(
        ({ version, count, have }) => ` part of ${version}: ${JSON.stringify(have)}/${count}`,
      );
      return `${actor.slice(0, 8)}:${head}${holes}${parts.join("")}`;
    })
    .join(", ");
}
