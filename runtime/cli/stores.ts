/** The stores that simulated nodes can keep their data in, by the name that `--store` takes. */
import { nearest } from "../../sim/scenario/nearest.ts";
import type { StoreFactory } from "../../sim/store-factory.ts";
import { memoryStores } from "../../sim/store/memory-disk.ts";
import { usageError } from "./exit-codes.ts";

const factories: Readonly<Record<string, () => Promise<StoreFactory>>> = {
  memory: () => Promise.resolve(memoryStores()),
};

/** @throws CliError (exit 2) unless there is such a store. */
export function checkStoreName(name: string): void {
  if (Object.hasOwn(factories, name)) return;
  const names = Object.keys(factories);
  const near = nearest(name, names);
  const mend = near === null ? `there is ${names.join(" and ")}` : `did you mean ${near}?`;
  throw usageError(`--store: unknown store ${name}: ${mend}`);
}

/** A factory for one run: disks are never shared between runs. */
export async function openStores(name: string): Promise<StoreFactory> {
  checkStoreName(name);
  return (factories[name] as () => Promise<StoreFactory>)();
}
