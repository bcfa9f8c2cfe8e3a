/** What all tables come to together. */
import { StateSum } from "../../core/crdt/state-hash.ts";
import type { StoreSummary } from "../../core/node/store.ts";
import type { TablePlan } from "./table-plan.ts";

const summed = new StateSum();

export function summaryOf(plans: readonly TablePlan[]): StoreSummary {
  let a = 0;
  let b = 0;
  let rows = 0;
  for (const { sum } of plans) {
    a = (a + sum.a) | 0;
    b = (b + sum.b) | 0;
    rows += sum.rows;
  }
  summed.a = a;
  summed.b = b;
  return { hash: summed.hex(), rows };
}
