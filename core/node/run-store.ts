/**
 * Carries out what the protocol asks of the store. The host calls it, on whatever thread the store
 * lives, and hands the answer back as a `stored` event. It owes the protocol one thing: answers
 * and `committed` events arrive in the order in which the store did the work, because the ledger
 * and the state hash that come from them are compared with those of other nodes as of one moment.
 */
import { unreachable } from "../base/assert.ts";
import type { StoreRequest, StoreResponse } from "./event.ts";
import type { Store } from "./store.ts";

/** @param wallMs the local wall clock, for the drift bound of remote stamps. */
export function runStore(store: Store, wallMs: number, request: StoreRequest): StoreResponse {
  switch (request.type) {
    case "receive": {
      const outcome = store.receive(wallMs, request.chunks, request.overwritten);
      const { versions, farFuture, summary } = outcome;
      return { type: "receive", versions, farFuture, summary };
    }
    case "serve":
      return { type: "serve", ...store.serve(request.wants, request.maxBytes) };
    case "tableDigests":
      return { type: "tableDigests", digests: store.tableDigests(), summary: store.summary() };
    case "rangeDigests": {
      const { table, from, to, parts } = request;
      return {
        type: "rangeDigests",
        table,
        ranges: hasTable(store, table) ? store.rangeDigests(table, from, to, parts) : [],
      };
    }
    case "readRows": {
      const { table, from, to, maxBytes } = request;
      if (!hasTable(store, table)) return { type: "readRows", rows: [], next: null };
      return { type: "readRows", ...store.readRows(table, from, to, maxBytes) };
    }
    case "mergeRows": {
      // A peer with another schema may send rows of tables that are not known here.
      const rows = request.rows.filter(({ table }) => hasTable(store, table));
      return { type: "mergeRows", ...store.mergeRows(wallMs, rows) };
    }
    default:
      return unreachable(request);
  }
}

function hasTable(store: Store, table: string): boolean {
  return store.tables.some(({ name }) => name === table);
}
