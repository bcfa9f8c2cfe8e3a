/** The books that the protocol goes by agree with what the store holds, at every look. */
import type { ActorHoldings } from "../../core/node/store.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";
import { sortedHoldings } from "./held.ts";

/** Larger clusters are looked at in turns. */
const nodesPerSample = 16;

export class Bookkeeping implements Check {
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
    if (node.store === null || node.replica === null) return;
    const stored = describe(node.store.holdings());
    const booked = describe(node.replica.ledger.holdings());
    if (stored === booked) return;
    this.#context.report(
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
