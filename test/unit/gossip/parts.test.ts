/** The parts of the broadcast, each by itself. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Address, actorId, address } from "../../../core/base/ids.ts";
import type { Effect } from "../../../core/node/event.ts";
import { IdSource, machines } from "../../../core/node/ids.ts";
import { lanGossip } from "../../../core/gossip/config.ts";
import { maxMissing, MissingMessages } from "../../../core/gossip/missing.ts";
import { maxOutboxMessages, Outbox } from "../../../core/gossip/outbox.ts";
import { maxNeighbours, Overlay } from "../../../core/gossip/overlay.ts";
import { Patience } from "../../../core/gossip/patience.ts";
import { type Recent, RecentMessages } from "../../../core/gossip/recent.ts";
import { gatewaySalt, leastBy } from "../../../core/gossip/regions.ts";
import { Trunk } from "../../../core/gossip/trunk.ts";

const alice = actorId("a1".repeat(16));
const bob = actorId("b2".repeat(16));

function names(count: number): Address[] {
  return Array.from({ length: count }, (_, i) => address(`host-${i}:4001`)).sort();
}

describe("the overlay", () => {
  function overlays(
    members: readonly Address[],
    regionOf: (a: Address) => string = () => "",
  ): Map<Address, Overlay> {
    const peers = { aliveAddresses: () => members, regionOf };
    return new Map(
      members.map((self) => {
        const others = { ...peers, aliveAddresses: () => members.filter((a) => a !== self) };
        return [self, new Overlay(self, lanGossip, others, new RecentMessages(lanGossip))];
      }),
    );
  }

  function linksOf(all: Map<Address, Overlay>): Map<Address, Set<Address>> {
    const links = new Map<Address, Set<Address>>();
    for (const [self, overlay] of all) {
      links.set(self, new Set(overlay.neighbours().map((n) => n.address)));
    }
    return links;
  }

  function reached(links: Map<Address, Set<Address>>, from: Address): number {
    const seen = new Set([from]);
    const queue = [from];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const other of links.get(next) ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        queue.push(other);
      }
    }
    return seen.size;
  }

  test("GO12: of few members all are neighbours, of many two a ring", () => {
    for (const overlay of overlays(names(6)).values()) expect(overlay.neighbours()).toHaveLength(5);
    for (const overlay of overlays(names(200)).values()) {
      expect(overlay.neighbours().length).toBeLessThanOrEqual(2 * lanGossip.rings);
      expect(overlay.neighbours().length).toBeGreaterThanOrEqual(3);
    }
  });

  test("GO12: both ends of a link agree about it, and all members are connected", () => {
    for (const count of [2, 8, 50, 300]) {
      const links = linksOf(overlays(names(count)));
      for (const [self, others] of links) {
        for (const other of others) expect(links.get(other)?.has(self)).toBe(true);
      }
      expect(reached(links, names(count)[0] as Address)).toBe(count);
    }
  });

  test("GO12: with several regions most links are within the region, and all are connected", () => {
    const members = names(120);
    const region = (a: Address): string => `r${members.indexOf(a) % 4}`;
    const links = linksOf(overlays(members, region));
    let near = 0;
    let all = 0;
    for (const [self, others] of links) {
      for (const other of others) {
        all++;
        if (region(self) === region(other)) near++;
      }
    }
    expect(near / all).toBeGreaterThan(0.5);
    expect(reached(links, members[0] as Address)).toBe(members.length);
  });

  test("GO20: of each region one member has eager links to other regions, and so all are connected", () => {
    const members = names(120);
    const region = (a: Address): string => `r${members.indexOf(a) % 4}`;
    const all = overlays(members, region);
    const eager = new Map(
      Array.from(all, ([self, overlay]) => {
        const links = overlay.neighbours().filter((n) => n.eager);
        return [self, new Set(links.map((n) => n.address))];
      }),
    );
    const gateways = members.filter((a) =>
      [...(eager.get(a) ?? [])].some((other) => region(other) !== region(a)),
    );
    expect(gateways.map(region).toSorted()).toEqual(["r0", "r1", "r2", "r3"]);
    expect(reached(eager, members[0] as Address)).toBe(members.length);
    for (const [self, others] of eager) {
      for (const other of others) expect(eager.get(other)?.has(self)).toBe(true);
    }
    // A region is connected by itself.
    const inside = new Map(
      Array.from(eager, ([self, others]) => [
        self,
        new Set([...others].filter((other) => region(other) === region(self))),
      ]),
    );
    expect(reached(inside, members[0] as Address)).toBe(30);
    // Lazy links over all members are there to announce.
    const lazy =
      all
        .get(members[0] as Address)
        ?.neighbours()
        .filter((n) => !n.eager) ?? [];
    expect(lazy.some((n) => region(n.address) !== "r0")).toBe(true);
  });

  test.each([40, 60, 90, 150])(
    "GO20: when a gateway of %i members goes its heir has its links, until it returns",
    (count) => {
      const members = names(count);
      const region = (a: Address): string => `r${members.indexOf(a) % 3}`;
      for (const name of ["r0", "r1", "r2"]) {
        const inside = members.filter((a) => region(a) === name);
        const [gateway, heir] = leastBy(inside, gatewaySalt, 2) as [Address, Address];
        let alive: readonly Address[] = members;
        const peers = { aliveAddresses: () => alive.filter((a) => a !== heir), regionOf: region };
        const overlay = new Overlay(heir, lanGossip, peers, new RecentMessages(lanGossip));
        const reaches = (): boolean =>
          overlay.neighbours().some((n) => n.eager && region(n.address) !== name);
        expect(reaches()).toBe(false);
        for (let i = 0; i < 2; i++) {
          alive = members.filter((a) => a !== gateway);
          overlay.memberChanged(gateway, false);
          expect(reaches()).toBe(true);
          alive = members;
          overlay.memberChanged(gateway, true);
          expect(reaches()).toBe(false);
        }
      }
    },
  );

  test("GO12: a member that goes is replaced by those beside it, and nobody else changes", () => {
    const members = names(100);
    const before = linksOf(overlays(members));
    const gone = members[40] as Address;
    const after = linksOf(overlays(members.filter((a) => a !== gone)));
    let changed = 0;
    for (const [self, others] of after) {
      const same = [...others].every((other) => before.get(self)?.has(other));
      if (same) continue;
      changed++;
      expect(before.get(self)?.has(gone)).toBe(true);
    }
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThanOrEqual(2 * lanGossip.rings);
  });

  test("GO12: a peer that cannot be reached is passed over until it is heard or its time is over", () => {
    const members = names(50);
    const self = members[0] as Address;
    const overlay = overlays(members).get(self) as Overlay;
    const first = overlay.neighbours()[0]?.address as Address;
    overlay.suspend(0, first);
    expect(overlay.neighbours().some((n) => n.address === first)).toBe(false);
    expect(overlay.neighbours().length).toBeGreaterThanOrEqual(4);
    overlay.expire(5000);
    expect(overlay.find(first)).toBeUndefined();
    overlay.resume(first);
    expect(overlay.find(first)?.eager).toBe(true);
    overlay.suspend(6000, first);
    overlay.expire(16_000);
    expect(overlay.find(first)).toBeDefined();
  });

  test("GO12: the shortest round trips add neighbours", () => {
    const members = names(100);
    const self = members[0] as Address;
    const overlay = overlays(members).get(self) as Overlay;
    const ring = new Set(overlay.neighbours().map((n) => n.address));
    const others = members.filter((a) => a !== self && !ring.has(a));
    const [near, nearer, far] = others as [Address, Address, Address];
    overlay.rtt(far, 200);
    overlay.rtt(near, 3);
    overlay.rtt(nearer, 1);
    const now = new Set(overlay.neighbours().map((n) => n.address));
    expect([near, nearer, far].map((a) => now.has(a))).toEqual([true, true, false]);
  });

  test("GO12: whatever comes, goes and returns, the neighbours are those of the members there are", () => {
    const names60 = names(60);
    const region = (a: Address): string => `r${names60.indexOf(a) % 3}`;
    // Those who would be gateway of the first region come first, and are there or not more often.
    const first = leastBy(
      names60.filter((a) => region(a) === "r0"),
      gatewaySalt,
      4,
    );
    const all = [...first, ...names60.filter((a) => !first.includes(a))];
    const member = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 59 }));
    const changed = fc.array(fc.record({ member, there: fc.boolean() }), { maxLength: 40 });
    fc.assert(
      fc.property(
        changed,
        fc.integer({ min: 0, max: 6 }),
        fc.boolean(),
        (changes, whom, regional) => {
          const self = all[whom] as Address;
          const regionOf = regional ? region : () => "";
          let members = all.slice(0, 30);
          const peers = {
            aliveAddresses: () => members.filter((a) => a !== self),
            regionOf,
          };
          const overlay = new Overlay(self, lanGossip, peers, new RecentMessages(lanGossip));
          overlay.neighbours();
          for (const { member, there } of changes) {
            const about = all[member] as Address;
            if (about === self) continue;
            members = members.filter((a) => a !== about);
            if (there) members = [...members, about].sort();
            overlay.memberChanged(about, there);
            const chosen = overlay.neighbours().filter((n) => n.chosen);
            const anew = new Overlay(self, lanGossip, peers, new RecentMessages(lanGossip));
            // Nothing was cut, so the eager links are those that begin so.
            expect(new Set(chosen.map((n) => `${n.address} ${n.eager}`))).toEqual(
              new Set(anew.neighbours().map((n) => `${n.address} ${n.eager}`)),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("GO12: no more neighbours than their bound, and one more is refused", () => {
    const members = names(200);
    const overlay = overlays(members).get(members[0] as Address) as Overlay;
    let accepted = 0;
    for (const member of members) if (overlay.accept(member) !== undefined) accepted++;
    expect(accepted).toBe(maxNeighbours);
    expect(overlay.size).toBe(maxNeighbours);
    const bits = overlay.neighbours().reduce((all, { bit }) => all | bit, 0);
    expect(bits).toBe((1 << maxNeighbours) - 1);
  });
});

describe("recent messages", () => {
  function message(version: number, atMs: number, bytes = 10): Recent {
    return {
      actor: version % 2 === 0 ? alice : bob,
      version,
      index: 0,
      count: 1,
      bytes: new Uint8Array(bytes),
      hops: 1,
      parent: null,
      ahead: false,
      told: 0,
      atMs,
      announcedMs: 0,
      grafted: null,
    };
  }

  test("GO14: they are bounded by number, bytes and age; the oldest go first", () => {
    const config = { ...lanGossip, recentMessages: 10, recentBytes: 500, recentMs: 1000 };
    const byNumber = new RecentMessages(config);
    for (let v = 1; v <= 30; v++) byNumber.add(message(v, 0));
    expect(byNumber.size).toBe(10);
    expect(byNumber.find(alice, 20, 0)).toBeUndefined();
    expect(byNumber.find(bob, 21, 0)?.version).toBe(21);
    const byBytes = new RecentMessages(config);
    for (let v = 1; v <= 6; v++) byBytes.add(message(v, 0, 200));
    expect(byBytes.bytes).toBeLessThanOrEqual(500);
    expect(byBytes.find(alice, 6, 0)).toBeDefined();
    const byAge = new RecentMessages(config);
    byAge.add(message(1, 0));
    byAge.add(message(2, 900));
    byAge.add(message(3, 1500));
    expect(byAge.find(bob, 1, 0)).toBeUndefined();
    expect(byAge.find(alice, 2, 0)).toBeDefined();
  });

  test("GO14: they agree with a plain map, whatever comes", () => {
    const config = { ...lanGossip, recentMessages: 5, recentBytes: 1e9, recentMs: 1e9 };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (versions) => {
        const recent = new RecentMessages(config);
        let model: number[] = [];
        for (const version of versions) {
          if (model.includes(version)) continue;
          recent.add(message(version, 0));
          model = [...model, version].slice(-5);
        }
        const found = Array.from({ length: 40 }, (_, i) => i + 1).filter(
          (v) => recent.find(v % 2 === 0 ? alice : bob, v, 0) !== undefined,
        );
        expect(found).toEqual(model.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe("the outbox", () => {
  const now = (monoMs: number) => ({ monoMs, wallMs: 0 });
  const bytes = new Uint8Array(100);

  test("GO13: below the rate everything leaves at once; above it messages wait in order", () => {
    const outbox = new Outbox(1000, new IdSource(machines.gossip));
    const out: Effect[] = [];
    for (let i = 0; i < 15; i++) outbox.send(now(0), address(`p${i}`), "push", bytes, false, out);
    expect(out.filter(({ type }) => type === "send")).toHaveLength(10);
    expect(outbox.size).toBe(5);
    const sent: string[] = [];
    for (let ms = 10; outbox.size > 0; ms += 10) {
      const timer = out.findLast((effect) => effect.type === "timer");
      const more: Effect[] = [];
      expect(outbox.timer(now(ms), timer?.token ?? 0, more)).toBe(true);
      for (const effect of more) if (effect.type === "send") sent.push(effect.to);
      out.push(...more);
      expect(ms).toBeLessThan(2000);
    }
    expect(sent).toEqual(["p10", "p11", "p12", "p13", "p14"]);
  });

  test("GO13: past its bound what is not this node's own goes first, oldest first, and it is told", () => {
    const outbox = new Outbox(1, new IdSource(machines.gossip));
    const out: Effect[] = [];
    outbox.send(now(0), address("first"), "push", bytes, false, out);
    for (let i = 0; i < maxOutboxMessages + 3; i++) {
      outbox.send(now(0), address(`p${i}`), "push", bytes, i < 2, out);
    }
    expect(outbox.size).toBe(maxOutboxMessages);
    const overflows = out.filter((e) => e.type === "notify" && e.notice.type === "overflow");
    expect(overflows).toHaveLength(3);
    const sent: string[] = [];
    for (let s = 1; sent.length < 3; s++) {
      const timer = out.findLast((effect) => effect.type === "timer");
      const more: Effect[] = [];
      outbox.timer(now(s * 200_000), timer?.token ?? 0, more);
      for (const effect of more) if (effect.type === "send") sent.push(effect.to);
      out.push(...more);
    }
    expect(sent.slice(0, 3)).toEqual(["p0", "p1", "p5"]);
  });
});

describe("what is announced and waited for", () => {
  const ref = (version: number) => ({ actor: alice, version, index: 0, count: 1 });

  test("GO09: sources are kept in order, each once; past the bound a message is passed over", () => {
    const missing = new MissingMessages();
    const [p, q] = [address("p"), address("q")];
    for (const from of [p, q, p]) missing.announced(10, ref(1), from, 60);
    expect(missing.due(59)).toEqual([]);
    expect(missing.due(60)[0]?.sources).toEqual([p, q]);
    missing.forgetSource(p);
    expect(missing.due(60)[0]?.sources).toEqual([q]);
    expect(missing.arrived(ref(1))?.announcedMs).toBe(10);
    expect(missing.size).toBe(0);
    for (let v = 1; v <= maxMissing; v++) expect(missing.announced(0, ref(v), p, 1)).toBe(true);
    expect(missing.announced(0, ref(maxMissing + 1), p, 1)).toBe(false);
  });

  test("GO09: the wait is half as long again as the latest of late ones, and fades", () => {
    const patience = new Patience(50);
    expect(patience.delayMs).toBe(50);
    patience.observe(200);
    expect(patience.delayMs).toBe(300);
    for (let i = 0; i < 1024; i++) patience.observe(0);
    expect(patience.delayMs).toBeGreaterThan(90);
    expect(patience.delayMs).toBeLessThan(130);
    for (let i = 0; i < 10_000; i++) patience.observe(0);
    expect(patience.delayMs).toBe(50);
    patience.observe(1e9);
    expect(patience.delayMs).toBe(2000);
  });
});

describe("the trunk", () => {
  const [p, q, r] = [address("p"), address("q"), address("r")];

  test("GO08: a duplicate of the reference cuts the link that is not the parent's, whichever was first", () => {
    const trunk = new Trunk();
    trunk.fresh(0, alice, p);
    expect(trunk.duplicate(alice, p, q)).toBe(q);
    trunk.fresh(1, alice, r);
    expect(trunk.duplicate(alice, r, p)).toBe(r);
    expect(trunk.isParent(p)).toBe(true);
    expect(trunk.duplicate(alice, p, p)).toBeNull();
  });

  test("GO08: other sources cut nothing; of two the one with the smaller hash becomes the reference", () => {
    const [one, two] = [new Trunk(), new Trunk()];
    one.fresh(0, alice, p);
    one.fresh(1, bob, q);
    two.fresh(0, bob, q);
    two.fresh(1, alice, p);
    const reference = one.isReference(alice) ? alice : bob;
    expect(two.isReference(reference)).toBe(true);
    const other = reference === alice ? bob : alice;
    expect(one.duplicate(other, p, r)).toBeNull();
    expect(one.duplicate(reference, reference === alice ? p : q, r)).toBe(r);
  });

  test("GO08: a reference that is silent is replaced, a parent that brings nothing too", () => {
    const trunk = new Trunk();
    trunk.fresh(0, alice, p);
    trunk.fresh(10_000, bob, q);
    expect(trunk.isReference(bob)).toBe(true);
    for (let i = 0; i < 4; i++) trunk.fresh(10_001 + i, bob, r);
    expect(trunk.isParent(r)).toBe(true);
    trunk.drop(r);
    expect(trunk.isParent(r)).toBe(false);
    trunk.fresh(10_010, bob, p);
    expect(trunk.isParent(p)).toBe(true);
  });
});
