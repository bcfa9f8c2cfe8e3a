/** The stores that simulated nodes can keep their data in, by the name that `--store` takes. */
import { nearest } from "../../core/base/nearest.ts";
import type { StoreFactory } from "../../sim/store-factory.ts";
import { memoryStores } from "../../sim/store/memory-disk.ts";
import { usageError } from "./exit-codes.ts";

interface OpenStores {
  readonly factory: StoreFactory;
  /** Takes away what the stores left on the machine's disk. */
  dispose(): void;
}

const openers: Readonly<Record<string, () => Promise<OpenStores>>> = {
  memory: () => Promise.resolve({ factory: memoryStores(), dispose() {} }),
  async sqlite() {
    // Loaded only when asked for: it brings a native library.
    const { sqliteStores } = await import("../store/sqlite-disk.ts");
    const factory = sqliteStores();
    return { factory, dispose: () => factory.dispose() };
  },
};

/** @throws CliError (exit 2) unless there is such a store. */
export function checkStoreName(name: string): void {
  if (Object.hasOwn(openers, name)) return;
  const names = Object.keys(openers);
  const near = nearest(name, names);
  const mend = near === null ? `there are ${names.join(" and ")}` : `did you mean ${near}?`;
  throw usageError(`--store: unknown store ${name}: ${mend}`);
}

/** Does `work` with fresh stores: no run ever sees the disks of another. */
export async function withStores<T>(name: string, work: (factory: StoreFactory) => T): Promise<T> {
  checkStoreName(name);
  const stores = await (openers[name] as () => Promise<OpenStores>)();
  try {
    return work(stores.factory);
  } finally {
    stores.dispose();
  }
}
