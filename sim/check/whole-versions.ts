/**
 * Whole versions only: what a node shows is exactly what the full contents of the versions that it
 * counts as held merge to (`model.ts`), no more and no less. Looked at from time to time on one
 * node after another, on every node at the end, and at the moments at which it is most at risk:
 * when markers are counted as held, and when a disk was opened again.
 */
import type { StoreRequest } from "../../core/node/event.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";
import { Held } from "./held.ts";
import type { VersionRecord } from "./history.ts";
import { modelRows, type Rows, rowText, sameRow, storedRows } from "./model.ts";

/** Looks beyond the regular ones, and the number of versions past which a look costs too much for more. */
const maxCloseLooks = 100;
const maxVersionsLookedAt = 5000;

export class WholeVersions implements Check {
  readonly #context: CheckContext;
  #next = 0;
  #closeLooks = 0;
  /** The state hash last found right for given holdings: equal nodes are not worked out again. */
  #known: { holdings: string; hash: string } | null = null;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  sample(): void {
    const { nodes } = this.#context;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[this.#next++ % nodes.length] as SimNode;
      if (node.store === null) continue;
      this.#judge(node);
      return;
    }
  }

  stored(node: SimNode, request: StoreRequest): void {
    if (request.type === "receive" && request.overwritten.length > 0) this.#lookClosely(node);
  }

  booted(node: SimNode): void {
    this.#lookClosely(node);
  }

  atEnd(): void {
    for (const node of this.#context.nodes) if (node.store !== null) this.#judge(node);
  }

  #lookClosely(node: SimNode): void {
    if (node.store === null || this.#closeLooks >= maxCloseLooks) return;
    if (this.#context.history.all.length > maxVersionsLookedAt) return;
    this.#closeLooks++;
    this.#judge(node);
  }

  #judge(node: SimNode): void {
    const { store } = node;
    if (store === null || this.#context.rotted) return;
    const holdings = store.holdings();
    const holdingsText = JSON.stringify(holdings);
    const { hash } = store.summary();
    if (this.#known?.holdings === holdingsText) {
      if (this.#known.hash === hash) return;
    }
    const held = new Held(holdings);
    const isHeld = (v: VersionRecord): boolean => held.has(v.actor, v.version);
    const model = modelRows(store.tables, this.#context.history.rows, isHeld);
    const stored = storedRows(store.tables, (table) => store.rows(table));
    const difference = firstDifference(model, stored);
    if (difference !== null) {
      this.#context.report("whole-versions", node.n, difference);
      return;
    }
    if (this.#known?.holdings === holdingsText) {
      this.#context.report(
        "whole-versions",
        node.n,
        `holds the same versions as another node and shows the same rows, but its state hash is ${hash}, not ${this.#known.hash}`,
      );
    }
    this.#known = { holdings: holdingsText, hash };
  }
}

export function firstDifference(model: Rows, stored: Rows): string | null {
  for (const [name, values] of model) {
    const found = stored.get(name);
    const made = "the versions held make it";
    if (found === undefined) return `row ${name} is missing; ${made} ${rowText(values)}`;
    if (!sameRow(found, values))
      return `row ${name} is ${rowText(found)}; ${made} ${rowText(values)}`;
  }
  for (const [name, values] of stored) {
    if (!model.has(name)) {
      return `row ${name} is ${rowText(values)}; the versions held make no such row`;
    }
  }
  return null;
}
