import type { Op } from "../../core/node/store.ts";

/** A transaction that a client asks of a node. `planned`: the scenario spells it out. */
export type Task =
  | { readonly type: "ops"; readonly ops: readonly Op[]; readonly planned?: boolean }
  | { readonly type: "sql"; readonly statements: readonly unknown[] };
