/** Bootstrap names are looked up until they are known, and again while the node is alone. */
import { expect, onTestFinished, test, vi } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import { SeedWatch } from "../../../runtime/agent/seed-watch.ts";

function watched(bootstrap: readonly string[]): {
  readonly watch: SeedWatch;
  readonly told: (readonly string[])[];
  readonly failing: string[];
  /** Host to addresses; what is not in it is not known. */
  readonly names: Map<string, readonly string[]>;
  /** Addresses by which members call themselves. */
  readonly known: Set<string>;
  alone: boolean;
  lookups: number;
} {
  const state = {
    told: [] as (readonly string[])[],
    failing: [] as string[],
    names: new Map<string, readonly string[]>(),
    known: new Set<string>(),
    alone: true,
    lookups: 0,
  };
  const watch = new SeedWatch({
    bootstrap,
    self: "10.0.0.1:1" as Address,
    alone: () => state.alone,
    knows: (address) => state.known.has(address),
    tell: (seeds) => state.told.push(seeds),
    failing: (name, why) => state.failing.push(why === null ? `${name} known` : `${name} ${why}`),
    find: async (host) => {
      state.lookups++;
      const ips = state.names.get(host);
      if (ips === undefined) throw Object.assign(new Error("not known"), { code: "ENOTFOUND" });
      return await Promise.resolve(ips);
    },
    times: { retryMs: 5, aloneMs: 20, companyMs: 40 },
  });
  onTestFinished(() => watch.stop());
  return Object.assign(state, { watch });
}

test("a name that is not known at the start is looked up until it is", async () => {
  const state = watched(["seed:1", "10.0.0.2:1"]);
  await state.watch.start();
  expect(state.told).toEqual([["10.0.0.2:1"]]);
  await vi.waitFor(() => expect(state.lookups).toBeGreaterThan(2));
  state.names.set("seed", ["10.0.0.3", "10.0.0.1", "10.0.0.4"]);
  await vi.waitFor(() => expect(state.told).toHaveLength(2));
  expect(state.told[1]).toEqual(["10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"]);
  expect(state.failing).toEqual(["seed:1 ENOTFOUND", "seed:1 known"]);
});

test("while the node is alone, other addresses of its names are found; in company nobody asks", async () => {
  const state = watched(["seed:1"]);
  state.names.set("seed", ["10.0.0.3"]);
  await state.watch.start();
  state.names.set("seed", ["10.0.0.5"]);
  await vi.waitFor(() => expect(state.told).toEqual([["10.0.0.3:1"], ["10.0.0.5:1"]]));
  state.alone = false;
  const { lookups } = state;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(state.lookups).toBeLessThanOrEqual(lookups + 1);
  state.alone = true;
  await vi.waitFor(() => expect(state.lookups).toBeGreaterThan(lookups + 2));
  expect(state.told).toHaveLength(2);
});

test("addresses stay seeds while their name cannot be looked up, in company too", async () => {
  const state = watched(["seed:1"]);
  state.names.set("seed", ["10.0.0.3"]);
  await state.watch.start();
  state.names.clear();
  await vi.waitFor(() => expect(state.failing).toHaveLength(1));
  state.alone = false;
  state.names.set("seed", ["10.0.0.6"]);
  await vi.waitFor(() => expect(state.told).toEqual([["10.0.0.3:1"], ["10.0.0.6:1"]]));
});

test("without names there is nothing to look up, and a stopped watch tells nothing", async () => {
  const plain = watched(["10.0.0.2:1"]);
  await plain.watch.start();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect([plain.lookups, plain.told.length]).toEqual([0, 1]);
  const stopped = watched(["seed:1"]);
  await stopped.watch.start();
  stopped.watch.stop();
  stopped.names.set("seed", ["10.0.0.3"]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(stopped.told).toEqual([[]]);
});

test("a name by which a member calls itself is the seed, its own addresses no longer; its own name is none", async () => {
  const state = watched(["seed:1", "other:1", "10.0.0.1:1"]);
  state.names.set("seed", ["10.0.0.3", "10.0.0.4"]);
  state.names.set("other", ["10.0.0.5"]);
  await state.watch.start();
  expect(state.told).toEqual([["10.0.0.3:1", "10.0.0.4:1", "10.0.0.5:1"]]);
  state.known.add("seed:1");
  state.alone = false;
  await vi.waitFor(() => expect(state.told).toHaveLength(2));
  expect(state.told[1]).toEqual(["10.0.0.5:1", "seed:1"]);
});
