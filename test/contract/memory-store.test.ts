import { memoryStores } from "../../sim/store/memory-disk.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { diskContract } from "./disk-contract.ts";
import { checkedTable, storeContract } from "./store-contract.ts";

storeContract("memory", {
  open: (options) => new MemoryStore(options),
  openChecked: (actor) => {
    const check = {
      name: "budget",
      table: "budget",
      holds: ({ a, b }: Readonly<Record<string, unknown>>) => Number(a) + Number(b) <= 10,
    };
    const store = new MemoryStore({ actor, schema: [checkedTable], checks: [check] });
    return { store, broken: () => store.brokenChecks().map(({ key }) => key) };
  },
});

diskContract("memory", () => memoryStores());
