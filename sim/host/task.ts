import type { Op } from "../../core/node/store.ts";

/** A transaction that a client asks of a node. */
export type Task =
  | { readonly type: "ops"; readonly ops: readonly Op[] }
  | { readonly type: "sql"; readonly statements: readonly unknown[] };
