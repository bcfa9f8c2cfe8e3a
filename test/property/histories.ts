/**
 * Random histories of several stores: transactions under any wall clocks, versions delivered in
 * any order, in parts and more than once, by any route, checkpoints in between. Whatever store is
 * under test, the model beside it is a store in memory that is handed the full contents of the
 * versions that the tested one counts as held.
 */
import fc from "fast-check";
import { actorId, type ActorId } from "../../core/base/ids.ts";
import { compareHlc, formatHlc, type Hlc } from "../../core/clock/hlc.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk, Op, Store } from "../../core/node/store.ts";
import { decodeChanges } from "../../core/wire/changes.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";

export const historySchema: readonly string[] = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
  "CREATE TABLE link (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))",
  "CREATE TABLE mix (k INTEGER PRIMARY KEY, c INTEGER COUNTER NOT NULL DEFAULT 10, hi INTEGER MAX, lo TEXT MIN, x)",
];

export type HistoryStep =
  | {
      readonly type: "commit";
      readonly node: number;
      readonly wallMs: number;
      readonly ops: readonly Op[];
    }
  /** Some chunks of what `from` holds, picked by `picks` in that order, duplicates and all. */
  | {
      readonly type: "deliver";
      readonly from: number;
      readonly to: number;
      readonly wallMs: number;
      readonly picks: readonly number[];
    }
  /** Everything that `from` holds, markers included. */
  | { readonly type: "sync"; readonly from: number; readonly to: number; readonly wallMs: number }
  | { readonly type: "checkpoint"; readonly node: number };

const t0 = 1_780_000_000_000;
const year = 365 * 86_400_000;

const wall = fc
  .oneof(
    fc.integer({ min: 0, max: 30 }),
    fc.constantFrom(0, 9_000, 11_000, -5_000, -60_000, year, -year),
  )
  .map((offset) => t0 + offset);

const key = fc.constantFrom("a", "b", "c");
const id = fc.integer({ min: 1, max: 2 });
const small: fc.Arbitrary<Value> = fc.constantFrom<Value[]>(
  null,
  0,
  1,
  2,
  -1,
  { real: 1 },
  1.5,
  "",
  "x",
  "1",
  { real: -0 },
  2n ** 60n,
  new Uint8Array([1]),
);
const text = fc.constantFrom("", "x", "y", "\u{1f600}", "\uffff");
const count = fc.integer({ min: -3, max: 30 });

const kvRow = fc.record({ k: key, v: text, n: small }, { requiredKeys: ["k"] });
const kvSet = fc.record({ v: text, n: small }, { requiredKeys: [] });
const mixRow = fc.record(
  { k: id, c: count, hi: small, lo: text, x: small },
  { requiredKeys: ["k"] },
);
const mixSet = fc.record({ c: count, hi: small, lo: text, x: small }, { requiredKeys: [] });
const linkRow = fc.record({ a: id, b: fc.constantFrom("", "x") });

const op: fc.Arbitrary<Op> = fc.oneof(
  kvRow.map((row): Op => ["insert", "kv", row]),
  { arbitrary: kvRow.map((row): Op => ["upsert", "kv", row]), weight: 4 },
  {
    arbitrary: fc.tuple(key, kvSet).map(([k, set]): Op => ["update", "kv", { k }, set]),
    weight: 2,
  },
  fc.tuple(key, key, kvSet).map(([k, to, set]): Op => ["update", "kv", { k }, { k: to, ...set }]),
  key.map((k): Op => ["delete", "kv", { k }]),
  { arbitrary: mixRow.map((row): Op => ["upsert", "mix", row]), weight: 3 },
  {
    arbitrary: fc.tuple(id, mixSet).map(([k, set]): Op => ["update", "mix", { k }, set]),
    weight: 3,
  },
  id.map((k): Op => ["delete", "mix", { k }]),
  linkRow.map((row): Op => ["upsert", "link", row]),
  linkRow.map((row): Op => ["delete", "link", row]),
);

/** Steps of a history over `nodes` stores. */
export function anyHistory(nodes: number, maxSteps: number): fc.Arbitrary<HistoryStep[]> {
  const node = fc.integer({ min: 0, max: nodes - 1 });
  const step: fc.Arbitrary<HistoryStep> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("commit" as const),
        node,
        wallMs: wall,
        ops: fc.array(op, { minLength: 1, maxLength: 5 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant("deliver" as const),
        from: node,
        to: node,
        wallMs: wall,
        picks: fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 8 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("sync" as const),
        from: node,
        to: node,
        wallMs: wall,
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("checkpoint" as const), node }) },
  );
  return fc.array(step, { minLength: 1, maxLength: maxSteps, size: "max" });
}

export type MakeStore = (actor: ActorId, schema: readonly string[]) => Store;

/** Versions as their authors made them. */
type Contents = Map<string, readonly Chunk[]>;

const all = Number.MAX_SAFE_INTEGER;
const none = new Uint8Array(0);

export class History {
  readonly stores: readonly Store[];
  /** Every version ever committed, by actor and number. */
  readonly #contents: Contents = new Map();
  /** Who wrote each cell in each life, to check that later writes have later stamps. */
  readonly #writers = new Map<
    string,
    { readonly actor: ActorId; readonly version: number; readonly hlc: Hlc }[]
  >();
  readonly #stamps = new Set<string>();
  readonly schema: readonly string[];

  constructor(make: MakeStore, nodes: number, schema: readonly string[] = historySchema) {
    this.schema = schema;
    this.stores = Array.from({ length: nodes }, (_, i) =>
      make(actorId(String(i + 1).repeat(32)), schema),
    );
  }

  run(steps: readonly HistoryStep[]): void {
    for (const step of steps) this.#step(step);
  }

  #step(step: HistoryStep): void {
    switch (step.type) {
      case "commit": {
        const outcome = this.#store(step.node).commit(step.wallMs, step.ops);
        if (outcome.type === "committed") this.#record(this.#store(step.node), outcome.chunks);
        return;
      }
      case "deliver": {
        const { chunks } = served(this.#store(step.from));
        if (chunks.length === 0) return;
        const picked = step.picks.map((pick) => chunks[pick % chunks.length] as Chunk);
        this.#store(step.to).receive(step.wallMs, picked, []);
        return;
      }
      case "sync": {
        const { chunks, overwritten } = served(this.#store(step.from));
        this.#store(step.to).receive(step.wallMs, chunks, overwritten);
        return;
      }
      case "checkpoint":
        this.#store(step.node).checkpoint();
        return;
    }
  }

  #store(node: number): Store {
    return this.stores[node] as Store;
  }

  /** Keeps a committed version and checks its stamp: new for its actor, and later than all it overwrote. */
  #record(store: Store, chunks: readonly Chunk[]): void {
    const first = chunks[0];
    if (first === undefined) return;
    const { actor, version, hlc } = first;
    const name = `${actor} ${version}`;
    if (this.#contents.has(name)) throw new Error(`version ${version} is used twice`);
    this.#contents.set(name, chunks);
    const stamp = actor + formatHlc(hlc);
    if (this.#stamps.has(stamp)) throw new Error(`stamp ${formatHlc(hlc)} is used twice`);
    this.#stamps.add(stamp);
    const held = holds(store);
    for (const { table, key: values, causalLength, cells } of chunks.flatMap((c) =>
      decodeChanges(c.payload),
    )) {
      const columns = cells.length === 0 ? [""] : cells.map((cell) => cell.column);
      for (const column of columns) {
        // A write that did not go far enough left no stamp behind, however late it was.
        if (column === "hi" || column === "lo") continue;
        const cell = JSON.stringify([table, values, causalLength, column]);
        const writers = this.#writers.get(cell) ?? [];
        for (const writer of writers) {
          const seen = held(writer.actor, writer.version);
          if (seen && compareHlc(hlc, writer.hlc) <= 0)
            throw new Error("a later write has an earlier stamp");
        }
        writers.push({ actor, version, hlc });
        this.#writers.set(cell, writers);
      }
    }
  }

  /** Hands everything to everybody, twice, since markers may wait for what comes later. */
  converge(): void {
    for (let round = 0; round < 2; round++) {
      for (const from of this.stores) {
        const { chunks, overwritten } = served(from);
        for (const to of this.stores) if (to !== from) to.receive(t0, chunks, overwritten);
      }
    }
  }

  /** What `store` must agree with. */
  model(store: Store): Store {
    return modelOf(store, this.#contents.values(), this.schema);
  }
}

/** A store in memory with the full contents of those of `versions` that `store` counts as held. */
export function modelOf(
  store: Store,
  versions: Iterable<readonly Chunk[]>,
  schema: readonly string[] = historySchema,
): Store {
  const held = holds(store);
  const model = new MemoryStore({ actor: actorId("f".repeat(32)), schema });
  for (const chunks of versions) {
    const { actor, version } = chunks[0] as Chunk;
    if (held(actor, version)) model.receive(t0, chunks, []);
  }
  return model;
}

/** Everything that a store can serve. */
function served(store: Store): {
  chunks: readonly Chunk[];
  overwritten: ReturnType<Store["serve"]>["overwritten"];
} {
  return store.serve(
    store.holdings().map(({ actor, head }) => ({ actor, from: 1, to: head })),
    all,
  );
}

/** Tells whether a version is held whole. */
export function holds(store: Store): (actor: ActorId, version: number) => boolean {
  const byActor = new Map(store.holdings().map((held) => [held.actor, held]));
  return (actor, version) => {
    const held = byActor.get(actor);
    if (held === undefined || version > held.head) return false;
    if (held.partial.some((partial) => partial.version === version)) return false;
    return !held.gaps.some(([from, to]) => version >= from && version <= to);
  };
}

/** Values, metadata, tombstones, digests: all that must agree. */
export function stateOf(store: Store): unknown {
  const { hash, rows } = store.summary();
  return {
    summary: { hash, rows },
    digests: store.tableDigests(),
    rows: store.tables.map(({ name }) => [...store.rows(name)]),
    states: store.tables.map(({ name }) => store.readRows(name, none, none, all).rows),
  };
}
