/** Stores in memory that do one thing wrong, for checks and shrinking to find. */
import type { Chunk, Store } from "../../../core/node/store.ts";
import { memoryStores } from "../../../sim/store/memory-disk.ts";
import type { Disk, StoreFactory } from "../../../sim/store-factory.ts";

/** What `break_` makes of a store's methods; the others stay. */
export function faultyStores(break_: (store: Store) => Partial<Store>): StoreFactory {
  const stores = memoryStores();
  return {
    name: "memory",
    disk: (n) => {
      const disk = stores.disk(n);
      const open: Disk["open"] = (options) => {
        const opened = disk.open(options);
        return { ...opened, store: overlay(opened.store, break_(opened.store)) };
      };
      return {
        open,
        saveEpoch: (epoch) => disk.saveEpoch(epoch),
        crash: (fate) => disk.crash(fate),
      };
    },
  };
}

function overlay(store: Store, broken: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, key) => {
      if (key in broken) return broken[key as keyof Store];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Says that it applied remote deletes, and does not. */
export function forgetsDeletes(isDelete: (chunk: Chunk) => boolean): StoreFactory {
  return faultyStores((store) => {
    const pretended = new Set<string>();
    return {
      receive: (wallMs, chunks, overwritten) => {
        const kept = chunks.filter((chunk) => !isDelete(chunk));
        const outcome = store.receive(wallMs, kept, overwritten);
        const skipped = chunks.filter(isDelete);
        for (const { actor, version } of skipped) pretended.add(`${actor}:${version}`);
        const versions = skipped.map(({ actor, version }) => ({
          type: "applied" as const,
          actor,
          version,
          won: 1,
          lost: 0,
        }));
        return { ...outcome, versions: [...outcome.versions, ...versions] };
      },
    };
  });
}
