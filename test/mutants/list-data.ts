/** Faults in stores, books, anti-entropy and broadcast. */
import type { Mutant, SimTry } from "./mutant.ts";

const cuts: readonly SimTry[] = [
  { scenario: "hot-rows", seeds: 12 },
  { scenario: "lost-disks", seeds: 10 },
];
const large: readonly SimTry[] = [{ scenario: "large-versions", seeds: 12 }];
const disks: readonly SimTry[] = [{ scenario: "lost-disks", seeds: 15 }];

const storeTests = ["test/contract/memory-store"];
const syncTests = ["test/unit/sync", "test/unit/node"];
const gossipTests = ["test/unit/gossip", "test/unit/node"];

export const storeMutants: readonly Mutant[] = [
  {
    name: "store-applies-an-incomplete-version",
    file: "sim/store/memory-store.ts",
    find: `if (partial === null || partial.have.count < count) return;
    log.partials.delete(version);
    const whole: Chunk[] = [];
    for (let i = 0; i < count; i++) whole.push(partial.chunks.get(i) as Chunk);`,
    replace: `if (partial === null || partial.have.count < count - 1) return;
    log.partials.delete(version);
    const whole: Chunk[] = [];
    for (const held of partial.chunks.values()) whole.push(held);`,
    fault: "a version is applied before its last chunk is there",
    sim: large,
    tests: storeTests,
  },
  {
    name: "store-mixes-versions-of-two-stamps",
    file: "sim/store/memory-store.ts",
    find: "partial.first.count !== count || compareHlc(partial.first.hlc, hlc) !== 0",
    replace: "partial.first.count !== count",
    fault: "chunks that contradict each other are put together to one version",
    sim: [],
    tests: storeTests,
  },
  {
    name: "store-torn-disk-keeps-its-actor",
    file: "sim/store/memory-disk.ts",
    find: "held.store.afterPowerLoss(wallMs, freshActor, held.schema)",
    replace: "held.store.afterPowerLoss(wallMs, held.store.actor, held.schema)",
    fault: "after a power loss version numbers that peers have seen are used again",
    sim: disks,
    tests: storeTests,
  },
  {
    name: "store-loses-acknowledged-commits",
    file: "sim/store/memory-disk.ts",
    find: 'if (disk === "torn") this.#torn = true;',
    replace: 'if (disk !== "lost") this.#torn = true;',
    fault: "the crash of a process takes commits along that were safe on its disk",
    sim: disks,
    tests: storeTests,
  },
  {
    name: "store-power-loss-keeps-markers",
    file: "sim/store/memory-store.ts",
    find: "      markers.removeAll(lost);\n",
    replace: "",
    fault: "after a power loss a version counts as held whose successor is gone",
    sim: disks,
    tests: storeTests,
  },
  {
    name: "store-serves-markers-for-living-versions",
    file: "sim/store/serve.ts",
    find: "this.#overwritten.push({ actor, from: marker[0], to: next });",
    replace: "this.#overwritten.push({ actor, from, to: next });",
    fault: "a peer is told that versions with living content are overwritten",
    sim: [...large, ...cuts],
    tests: storeTests,
  },
  {
    name: "store-drops-living-content",
    file: "core/crdt/origin.ts",
    find: "    this.#live += pieces;",
    replace: "    this.#live = 1;",
    fault: "a version counts as overwritten when the first of its cells is",
    sim: [{ scenario: "wide-transactions", seeds: 10 }, ...cuts],
    tests: storeTests,
  },
  {
    name: "store-does-not-observe-stamps",
    file: "sim/store/memory-store.ts",
    find: 'if (this.#clock.observe(wallMs, hlc) === "far") batch.farFuture++;',
    replace: "if (hlc.ms > wallMs + 10_000) batch.farFuture++;",
    fault: "remote stamps do not advance the clock",
    sim: cuts,
    tests: storeTests,
  },
];

export const bookMutants: readonly Mutant[] = [
  {
    name: "books-bridge-a-gap-of-one",
    file: "core/base/interval-set.ts",
    find: "(ends[2 * after] as number) <= to + 1",
    replace: "(ends[2 * after] as number) <= to + 2",
    fault: "a single missing version between two held ones counts as held",
    sim: cuts,
    tests: ["test/unit/base", ...syncTests],
  },
  {
    name: "books-forget-the-gap-below",
    file: "core/sync/inbox.ts",
    find: `if (type === "applied" || type === "quarantined") {
        held += ledger.hold(actor, version, version);`,
    replace: `if (type === "applied" || type === "quarantined") {
        held += ledger.hold(actor, 1, version);`,
    fault: "a version that overtook others takes them for held",
    sim: cuts,
    tests: syncTests,
  },
  {
    name: "books-miss-own-commits",
    file: "core/node/replica.ts",
    find: "    this.ledger.hold(first.actor, first.version, first.version);\n",
    replace: "",
    fault: "a node does not know its own versions as held",
    sim: cuts,
    tests: syncTests,
  },
  {
    name: "books-hash-stands-still",
    file: "core/sync/ledger.ts",
    find: "    this.#total.hi ^= hi;\n    this.#total.lo ^= lo;\n",
    replace: "",
    fault: "all holdings look alike to a digest",
    sim: cuts,
    tests: syncTests,
  },
  {
    name: "books-take-any-hash-for-their-past",
    file: "core/sync/ledger.ts",
    find: "if (history[i] === hash.hi && history[i + 1] === hash.lo) return true;",
    replace: "if (history[i] !== hash.hi || history[i + 1] === hash.lo) return true;",
    fault: "a node believes to hold whatever a peer holds, and never pulls",
    sim: cuts,
    tests: syncTests,
  },
  {
    name: "books-drop-markers-of-an-answer",
    file: "core/node/run-store.ts",
    find: "store.receive(wallMs, request.chunks, request.overwritten)",
    replace: "store.receive(wallMs, request.chunks, [])",
    fault: "the books count markers that the store never took",
    sim: cuts,
    tests: syncTests,
  },
];

export const syncMutants: readonly Mutant[] = [
  {
    name: "sync-counts-markers-at-once",
    file: "core/sync/marker-pool.ts",
    find: "const left = candidates.filter((group) => isCovered(group.lacks as Ranges, covered));",
    replace: "const left = candidates;",
    fault: "an overwritten version counts as held before what overwrote it is here",
    sim: [{ scenario: "lost-disks", seeds: 40 }, ...cuts],
    tests: syncTests,
  },
  {
    name: "sync-waits-for-nothing",
    file: "core/sync/marker-pool.ts",
    find: "for (const [ledger, set] of lacks) copy.set(ledger, set.clone());",
    replace: "for (const [ledger, set] of lacks) if (set.isEmpty) copy.set(ledger, set.clone());",
    fault: "markers are released without what their peer held beside them",
    sim: [{ scenario: "lost-disks", seeds: 40 }, ...cuts],
    tests: syncTests,
  },
  {
    name: "sync-never-asks-a-failed-peer-s-share-again",
    file: "core/sync/pulls.ts",
    find: "    for (const request of pull.requests) unask(this.#ledger, request.wants);\n",
    replace: "",
    fault: "what was asked of a peer that fell silent is never asked of another",
    sim: [
      { scenario: "lost-disks", seeds: 40 },
      { scenario: "large-versions", seeds: 15 },
    ],
    tests: syncTests,
  },
  {
    name: "sync-hides-the-newest-version",
    file: "core/sync/serving.ts",
    find: "if (want.from > head) continue;",
    replace: "if (want.from >= head) continue;",
    fault: "the newest version of an author is never served",
    sim: cuts,
    tests: syncTests,
  },
  {
    name: "sync-tells-no-partial-versions",
    file: "core/sync/serving.ts",
    find: "const partial = i > 0 ? [] : parts.slice(0, maxRangesPerEntry).map(toPart);",
    replace: "const partial = i >= 0 ? [] : parts.slice(0, maxRangesPerEntry).map(toPart);",
    fault: "chunks of a version that nobody holds whole are never found",
    sim: [],
    tests: syncTests,
  },
  {
    name: "sync-tells-nobody-that-it-is-behind",
    file: "core/sync/sync.ts",
    find: 'else if (!digest.reply) this.#sendDigest(from, "reply", out);',
    replace: 'else if (digest.reply) this.#sendDigest(from, "reply", out);',
    fault: "a node that is behind is not told of it by the one whose digest it sent",
    sim: [],
    tests: syncTests,
  },
  {
    name: "sync-answers-agreement",
    file: "core/sync/sync.ts",
    find: `        this.#repair.begin(now, from, out);
      }
      return;`,
    replace: `        this.#repair.begin(now, from, out);
      }
      this.#sendDigest(from, true, out);
      return;`,
    fault: "two nodes in agreement tell each other so for ever",
    sim: [{ scenario: "hot-rows", seeds: 3 }],
    tests: syncTests,
  },
  {
    name: "sync-pulls-from-everybody",
    file: "core/sync/pulls.ts",
    find: "if (this.#pulls.length >= this.#config.maxPulls || this.#inbox.failing) return false;",
    replace: "if (this.#inbox.failing) return false;",
    fault: "a node that is behind asks all the others at once",
    sim: cuts,
    tests: syncTests,
  },
  {
    name: "sync-inbox-without-a-bound",
    file: "core/sync/inbox.ts",
    find: "if (full || this.size >= maxInboxChunks || !this.#mark(chunk)) {",
    replace: "if (!this.#mark(chunk)) {",
    fault: "a slow store lets what waits for it grow without end",
    sim: [],
    tests: syncTests,
  },
  {
    name: "sync-never-repairs",
    file: "core/sync/sync.ts",
    find: "if (comparable && !equalHashes(digest.state, this.#state.hash)) {",
    replace: "if (comparable && digest.state === this.#state.hash) {",
    fault: "equal holdings with unequal rows are neither reported nor mended",
    sim: [{ scenario: "bit-rot", seeds: 5 }],
    tests: syncTests,
  },
];

export const gossipMutants: readonly Mutant[] = [
  {
    name: "gossip-keeps-news-to-itself",
    file: "core/gossip/tree.ts",
    find: "if ((message.told & neighbour.bit) !== 0) continue;",
    replace: "if ((message.told & neighbour.bit) === 0) continue;",
    fault: "nobody is pushed anything; only sync spreads versions",
    sim: [],
    tests: gossipTests,
  },
  {
    name: "gossip-hops-not-counted",
    file: "core/gossip/broadcast.ts",
    find: "push.relayed(hops + 1)",
    replace: "push.relayed(hops)",
    fault: "every link of the tree looks one hop long, so that it never gets shorter",
    sim: [],
    tests: gossipTests,
  },
  {
    name: "gossip-accepts-conflicting-chunks",
    file: "core/gossip/broadcast.ts",
    find: 'if (verdict === "conflict") {',
    replace: 'if (verdict === "conflict" && header.hops < 0) {',
    fault: "a chunk with another count than its version's is taken",
    sim: [{ scenario: "hostile-bytes", seeds: 10 }],
    tests: gossipTests,
  },
  {
    name: "gossip-announces-nothing",
    file: "core/gossip/tree.ts",
    find: "    this.#announce.push(message);\n",
    replace: "",
    fault: "a broken tree is never mended by announcements",
    sim: [],
    tests: gossipTests,
  },
  {
    name: "gossip-never-asks-for-what-was-announced",
    file: "core/gossip/tree.ts",
    find: 'outbox.send(now, source, "graft", encodeGraft(refs), false, out);',
    replace: "neighbour?.bit;",
    fault: "what was announced and did not come is not asked for",
    sim: [],
    tests: gossipTests,
  },
  {
    name: "gossip-outbox-without-a-bound",
    file: "core/gossip/outbox.ts",
    find: "    this.#trim(out);\n",
    replace: "",
    fault: "what waits to leave grows without end",
    sim: [],
    tests: gossipTests,
  },
];
