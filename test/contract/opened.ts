/** Opens stores for one test and closes them after it. */
import { afterEach } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import type { Store } from "../../core/node/store.ts";
import { alice, kv, link } from "./authors.ts";
import type { CheckedStore, StoreUnderTest } from "./store-contract.ts";

export interface Opener {
  (actor?: ActorId, schema?: readonly string[]): Store;
  checked(actor: ActorId): CheckedStore;
}

/** To be called inside `describe`. */
export function opener(tested: StoreUnderTest): Opener {
  let stores: Store[] = [];
  afterEach(() => {
    for (const store of stores) store.close();
    stores = [];
  });
  const open = (actor: ActorId = alice, schema: readonly string[] = [kv, link]): Store => {
    const store = tested.open({ actor, schema });
    stores.push(store);
    return store;
  };
  const checked = (actor: ActorId): CheckedStore => {
    const opened = tested.openChecked(actor);
    stores.push(opened.store);
    return opened;
  };
  return Object.assign(open, { checked });
}
