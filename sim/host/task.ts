import type { CommitOutcome, Op, Store } from "../../core/node/store.ts";
import type { SqlStore } from "../store-factory.ts";

/** A transaction that a client asks of a node. `planned`: the scenario spells it out. */
export type Task =
  | { readonly type: "ops"; readonly ops: readonly Op[]; readonly planned?: boolean }
  | { readonly type: "sql"; readonly statements: readonly unknown[] };

/** The command line has seen to it that SQL meets a store that takes it. */
export function runTask(store: Store, wallMs: number, task: Task): CommitOutcome {
  if (task.type === "ops") return store.commit(wallMs, task.ops);
  return (store as SqlStore).commitSql(wallMs, task.statements);
}
