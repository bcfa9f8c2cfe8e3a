/** The suite for the disks of simulated nodes: what a crash keeps, tears and loses. */
import { describe, expect, test } from "vitest";
import { nodeId } from "../../core/base/ids.ts";
import type { Store } from "../../core/node/store.ts";
import type { Disk, StoreFactory } from "../../sim/store-factory.ts";
import {
  alice,
  bob,
  carol,
  commit,
  fullState,
  kv,
  kvChange,
  link,
  receive,
  rows,
  stamp,
  sync,
  t0,
  version,
} from "./authors.ts";

const first = nodeId("1".repeat(32));
const second = nodeId("2".repeat(32));

const opened = (disk: Disk, freshActor = alice, freshNodeId = first, schema = [kv, link]) =>
  disk.open({ schema, freshActor, freshNodeId, wallMs: t0 });

const put = (store: Store, k: string, n: number) => commit(store, t0, ["upsert", "kv", { k, n }]);

export function diskContract(name: string, factory: () => StoreFactory): void {
  describe(`disks with the ${name} store`, () => {
    test("BK31: an empty disk takes the fresh actor and node id", () => {
      const stores = factory();
      expect(stores.name).toBe(name);
      const { store, nodeId, lastEpoch, fresh } = opened(stores.disk(0));
      expect({ actor: store.actor, nodeId, lastEpoch, fresh }).toEqual({
        actor: alice,
        nodeId: first,
        lastEpoch: 0,
        fresh: true,
      });
    });

    test("BK31: disks of two nodes share nothing", () => {
      const stores = factory();
      put(opened(stores.disk(0)).store, "a", 1);
      expect(rows(opened(stores.disk(1), bob).store)).toEqual([]);
    });

    test("BK31: a crashed process finds everything again, and goes on under its actor", () => {
      const disk = factory().disk(0);
      const before = opened(disk);
      put(before.store, "a", 1);
      const parts = version(
        carol,
        1,
        stamp(1),
        [kvChange("x", 1, { v: "", n: 1 }), kvChange("y", 1, { v: "", n: 1 })],
        1,
      );
      receive(before.store, t0, ...parts.slice(1));
      disk.saveEpoch(3);
      const state = fullState(before.store);
      const holdings = before.store.holdings();
      disk.crash("kept");
      const { store, nodeId, lastEpoch, fresh } = opened(disk, bob, second);
      expect({ actor: store.actor, nodeId, lastEpoch, fresh }).toEqual({
        actor: alice,
        nodeId: first,
        lastEpoch: 3,
        fresh: false,
      });
      expect(fullState(store)).toEqual(state);
      expect(store.holdings()).toEqual(holdings);
      expect(put(store, "b", 2)[0]).toMatchObject({ actor: alice, version: 2 });
      receive(store, t0, ...parts.slice(0, 1));
      expect(rows(store)).toHaveLength(4);
    });

    test("BK34: a crashed process finds the seals of versions and of parts again", () => {
      const disk = factory().disk(0);
      const { store } = opened(disk);
      const rowsOfBob = [kvChange("x", 1, { v: "", n: 1 }), kvChange("y", 1, { v: "", n: 1 })];
      const whole = version(bob, 1, stamp(1), rowsOfBob, 1);
      const part = version(carol, 1, stamp(1), rowsOfBob, 1).slice(1);
      const sealed = [...whole, ...part].map((chunk) => ({ ...chunk, seal: Uint8Array.of(1, 2) }));
      receive(store, t0, ...sealed);
      disk.crash("kept");
      const wants = [bob, carol].map((actor) => ({ actor, from: 1, to: 9 }));
      expect(opened(disk).store.serve(wants, 1e9).chunks).toEqual(sealed);
    });

    test("CR11: after a crash the clock goes on above all stamps used", () => {
      const disk = factory().disk(0);
      const last = put(opened(disk).store, "a", 1)[0]?.hlc ?? stamp(0);
      disk.crash("kept");
      const { store } = opened(disk, bob, second);
      const next = commit(store, t0 - 60_000, ["upsert", "kv", { k: "b" }])[0]?.hlc ?? stamp(0);
      expect(next.ms === last.ms ? next.counter - last.counter : next.ms - last.ms).toBeGreaterThan(
        0,
      );
    });

    test("BK32: a torn disk is as at the last checkpoint, and takes a fresh actor", () => {
      const disk = factory().disk(0);
      const { store } = opened(disk);
      put(store, "a", 1);
      put(store, "a", 2);
      receive(store, t0, ...version(carol, 1, stamp(1), [kvChange("c", 1, { v: "", n: 1 })]));
      commit(store, t0, ["insert", "link", { a: 1, b: "x" }]);
      commit(store, t0, ["delete", "link", { a: 1, b: "x" }]);
      store.checkpoint();
      const state = fullState(store);
      const holdings = store.holdings();
      put(store, "a", 3);
      put(store, "b", 4);
      receive(store, t0, ...version(carol, 2, stamp(2), [kvChange("c", 1, { n: 2 })]));
      store.receive(t0, [], [{ actor: carol, from: 3, to: 4 }]);
      disk.saveEpoch(5);
      disk.crash("torn");
      const after = opened(disk, bob, second);
      expect(after).toMatchObject({ nodeId: first, lastEpoch: 5, fresh: false });
      expect(after.store.actor).toBe(bob);
      expect(fullState(after.store)).toEqual(state);
      expect(after.store.holdings()).toEqual(holdings);
      expect(put(after.store, "b", 9)[0]).toMatchObject({ actor: bob, version: 1 });
    });

    test("BK32: a torn disk without a checkpoint is empty, but keeps its node id", () => {
      const disk = factory().disk(0);
      put(opened(disk).store, "a", 1);
      disk.crash("torn");
      const { store, nodeId } = opened(disk, bob, second);
      expect({ actor: store.actor, nodeId }).toEqual({ actor: bob, nodeId: first });
      expect(store.holdings()).toEqual([]);
    });

    test("BK32: what a torn disk lost comes back from a peer, versions of the old actor too", () => {
      const stores = factory();
      const disk = stores.disk(0);
      const peer = opened(stores.disk(1), carol, second).store;
      const { store } = opened(disk);
      put(store, "a", 1);
      store.checkpoint();
      put(store, "a", 2);
      put(store, "b", 3);
      sync(store, peer, t0);
      disk.crash("torn");
      const after = opened(disk, bob, second).store;
      put(after, "d", 4);
      sync(peer, after, t0);
      sync(after, peer, t0);
      expect(rows(after)).toEqual([
        ["a", "", 2],
        ["b", "", 3],
        ["d", "", 4],
      ]);
      expect(fullState(after)).toEqual(fullState(peer));
    });

    test("BK32: a second power loss takes back to the second checkpoint", () => {
      const disk = factory().disk(0);
      put(opened(disk).store, "a", 1);
      disk.crash("torn");
      const { store } = opened(disk, bob, second);
      put(store, "b", 1);
      store.checkpoint();
      put(store, "c", 1);
      disk.crash("torn");
      expect(rows(opened(disk, carol, second).store)).toEqual([["b", "", 1]]);
    });

    test("BK31: a lost disk is empty and takes another node id", () => {
      const disk = factory().disk(0);
      const { store } = opened(disk);
      put(store, "a", 1);
      store.checkpoint();
      disk.saveEpoch(2);
      disk.crash("lost");
      const after = opened(disk, bob, second);
      expect(after).toMatchObject({ nodeId: second, lastEpoch: 0, fresh: true });
      expect(after.store.actor).toBe(bob);
      expect(after.store.holdings()).toEqual([]);
    });

    test("BK30: a disk opened with a schema that grew has it", () => {
      const disk = factory().disk(0);
      put(opened(disk).store, "a", 1);
      disk.crash("kept");
      const more = "CREATE TABLE more (id INTEGER PRIMARY KEY)";
      const { store } = opened(disk, bob, second, [kv, link, more]);
      expect(store.tables.map((table) => table.name)).toEqual(["kv", "link", "more"]);
      expect(rows(store)).toEqual([["a", "", 1]]);
    });
  });
}
