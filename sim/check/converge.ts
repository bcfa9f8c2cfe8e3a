/**
 * After healing every live node holds the same: values, merge metadata (state hash and the digest
 * of each table), and the same versions.
 */
import type { Store } from "../../core/node/store.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";
import { sortedHoldings } from "./held.ts";
import { type Rows, storedRows } from "./model.ts";
import { firstDifference } from "./whole-versions.ts";

export class Converge implements Check {
  readonly #context: CheckContext;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  atEnd(): void {
    const live = this.#context.nodes.filter((node) => node.live && node.store !== null);
    const first = live[0];
    if (first === undefined) return;
    const reference = view(first);
    for (const node of live.slice(1)) {
      const difference = compare(first, reference, node);
      if (difference !== null) this.#context.report("converge", node.n, difference);
    }
  }
}

interface View {
  readonly hash: string;
  readonly digests: string;
  readonly holdings: string;
  readonly rows: Rows;
}

function view(node: SimNode): View {
  const store = node.store as Store;
  return {
    hash: store.summary().hash,
    digests: JSON.stringify(store.tableDigests()),
    holdings: JSON.stringify(sortedHoldings(store.holdings())),
    rows: storedRows(store.tables, (table) => store.rows(table)),
  };
}

function compare(first: SimNode, reference: View, node: SimNode): string | null {
  const own = view(node);
  const rows = firstDifference(reference.rows, own.rows);
  if (rows !== null) {
    return `differs from node ${first.n}: ${rows.replace("the versions held make", "there")}`;
  }
  if (own.hash !== reference.hash) {
    return `shows the same rows as node ${first.n} with other metadata: hash ${own.hash}, there ${reference.hash}`;
  }
  if (own.digests !== reference.digests) {
    return `table digests ${own.digests} differ from those of node ${first.n}, ${reference.digests}`;
  }
  if (own.holdings !== reference.holdings) {
    return `holds other versions than node ${first.n}: ${own.holdings}, there ${reference.holdings}`;
  }
  return null;
}
