/** Whom to compare holdings with. */
import { expect, test } from "vitest";
import { type Address, address } from "../../../core/base/ids.ts";
import { lanSync } from "../../../core/sync/config.ts";
import { Contacts } from "../../../core/sync/contacts.ts";
import { createRng } from "../../../sim/rng.ts";

const self = address("self");
const others = Array.from({ length: 16 }, (_, i) => address(`n${String(i).padStart(2, "0")}`));

/** Contacts of one among others, of whom the first few are suspected. */
function contacts(suspected: number): Contacts {
  const members = { aliveCount: others.length, aliveAt: (i: number) => others[i] as Address };
  const made = new Contacts(self, lanSync, createRng("contacts"), members);
  for (const other of others.slice(0, suspected)) made.memberChanged(other, "suspect");
  return made;
}

test("SY22: suspected members are compared with last, but compared with", () => {
  const most = contacts(12);
  const chosen = Array.from({ length: 200 }, () => most.randomAlive(null));
  const suspects = chosen.filter((peer) => others.indexOf(peer as Address) < 12);
  expect(suspects.length).toBeLessThan(10);
  expect(new Set(chosen).size).toBeGreaterThanOrEqual(4);
  const all = contacts(16);
  expect(all.randomAlive(null)).not.toBeNull();
});

test("SY22: while more than an eighth is suspected, digests grow no rarer", () => {
  const intervals = (suspected: number): number => {
    const made = contacts(suspected);
    for (let i = 0; i < 20; i++) made.periodic();
    return made.nextDelayMs();
  };
  expect(intervals(2)).toBeGreaterThan(lanSync.digestIntervalMaxMs * 0.8);
  expect(intervals(3)).toBeLessThan(lanSync.digestIntervalMs * 1.2);
});

test("SY22: one that refuted is as good as others", () => {
  const made = contacts(16);
  made.memberChanged(others[7] as Address, "alive");
  const chosen = Array.from({ length: 50 }, () => made.randomAlive(null));
  expect(chosen.filter((peer) => peer === others[7]).length).toBeGreaterThan(20);
});
