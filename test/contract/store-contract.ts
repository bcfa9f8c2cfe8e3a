/**
 * One suite for the Store port, run on every implementation: what holds for one must hold for
 * all, down to the bytes of chunks, digests and row states.
 */
import { describe } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Store } from "../../core/node/store.ts";
import { casesContract } from "./cases-contract.ts";
import { commitContract } from "./commit-contract.ts";
import { logContract } from "./log-contract.ts";
import { mergeContract } from "./merge-contract.ts";
import { policyContract } from "./policy-contract.ts";
import { repairContract } from "./repair-contract.ts";
import { schemaContract } from "./schema-contract.ts";
import { sealContract } from "./seal-contract.ts";

/** How the suite gets at an implementation. Every store that it opens, it closes. */
export interface StoreUnderTest {
  /** A new, empty store. */
  open(options: { readonly actor: ActorId; readonly schema: readonly string[] }): Store;
  /** A new store with the table of `checkedTable` and its CHECK in force. */
  openChecked(actor: ActorId): CheckedStore;
}

export interface CheckedStore {
  readonly store: Store;
  /** Rows that a merge has left in breach of the CHECK, by key. */
  readonly broken: () => readonly (readonly Value[])[];
}

export const checkedTable =
  "CREATE TABLE budget (id INTEGER PRIMARY KEY, a INTEGER NOT NULL DEFAULT 0, b INTEGER NOT NULL DEFAULT 0, CHECK (a + b <= 10))";

export function storeContract(name: string, tested: StoreUnderTest): void {
  describe(`the ${name} store`, () => {
    commitContract(tested);
    mergeContract(tested);
    policyContract(tested);
    logContract(tested);
    repairContract(tested);
    schemaContract(tested);
    sealContract(tested);
    casesContract(tested);
  });
}
