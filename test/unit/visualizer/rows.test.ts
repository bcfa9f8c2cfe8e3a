/**
 * What the page shows of the data, against the store that holds them: random histories of several
 * nodes with every merge policy, each node's rows compared after each event.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import { formatHlc } from "../../../core/clock/hlc.ts";
import type { Value } from "../../../core/crdt/value.ts";
import type { Chunk, Op } from "../../../core/node/store.ts";
import { traceChanges } from "../../../core/trace/changes.ts";
import { MemoryStore } from "../../../sim/store/memory-store.ts";
import {
  compareRow,
  Difference,
  diffTables,
  nodeVision,
  referenceVision,
} from "../../../visualizer/model/diff.ts";
import { RowReader, sees, type Vision } from "../../../visualizer/model/row-reader.ts";
import type { Trace } from "../../../visualizer/model/trace.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { actors, header, lines, readTrace } from "./read.ts";

const schema = [
  "CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '?', hi INTEGER MAX, lo INTEGER MIN, c INTEGER COUNTER NOT NULL DEFAULT 0)",
  "CREATE TABLE link (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))",
];
const columns = ["v", "hi", "lo", "c"];

type Step =
  | { readonly do: "commit"; readonly node: number; readonly op: Op }
  | { readonly do: "deliver"; readonly pick: number };

const small = fc.integer({ min: -9, max: 9 });
const keyOf = fc.constantFrom("a", "b");
const op: fc.Arbitrary<Op> = fc.oneof(
  fc
    .tuple(keyOf, fc.string({ maxLength: 2 }), small, small, small)
    .map(([k, v, hi, lo, c]): Op => ["upsert", "t", { k, v, hi, lo, c }]),
  fc
    .tuple(
      keyOf,
      fc.record(
        { v: fc.string({ maxLength: 2 }), hi: small, lo: small, c: small },
        { requiredKeys: [] },
      ),
    )
    .map(([k, set]): Op => ["update", "t", { k }, set]),
  keyOf.map((k): Op => ["delete", "t", { k }]),
  fc.tuple(fc.nat(1), keyOf).map(([a, b]): Op => ["upsert", "link", { a, b }]),
  fc.tuple(fc.nat(1), keyOf).map(([a, b]): Op => ["delete", "link", { a, b }]),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("commit" as const), node: fc.nat(2), op }),
  fc.record({ do: fc.constant("deliver" as const), pick: fc.nat(1000) }),
);

/** Every node's living rows of a table, as its store has them. */
type Rows = readonly (readonly Value[])[];

interface History {
  readonly text: string;
  /** After each event: table t and table link of each node. */
  readonly truth: readonly (readonly { readonly t: Rows; readonly link: Rows }[])[];
  /** At the end, by node, and last of a store that received everything: each table's state hash. */
  readonly digests: readonly ReadonlyMap<string, string>[];
}

function play(steps: readonly Step[]): History {
  const stores = [0, 1, 2].map(
    (n) => new MemoryStore({ actor: actorId(actors[n] as string), schema }),
  );
  const merged = new MemoryStore({ actor: actorId(actors[4] as string), schema });
  const events: Record<string, unknown>[] = [];
  const truth: { readonly t: Rows; readonly link: Rows }[][] = [];
  const waiting: { readonly to: number; readonly chunks: readonly Chunk[] }[] = [];
  const told = (event: Record<string, unknown>): void => {
    events.push({ t: events.length, ...event });
    truth.push(stores.map((store) => ({ t: [...store.rows("t")], link: [...store.rows("link")] })));
  };
  for (const [i, one] of steps.entries()) {
    if (one.do === "commit") {
      const { node } = one;
      const outcome = (stores[node] as MemoryStore).commit(1000 + i, [one.op]);
      const first = outcome.type === "committed" ? outcome.chunks[0] : undefined;
      if (outcome.type !== "committed" || first === undefined) continue;
      const { actor, version, hlc } = first;
      const changes = traceChanges(outcome.chunks);
      told({ k: "commit", n: node, actor, version, hlc: formatHlc(hlc), changes });
      merged.receive(1000 + i, outcome.chunks, []);
      for (const to of [0, 1, 2]) if (to !== node) waiting.push({ to, chunks: outcome.chunks });
    } else if (waiting.length > 0) {
      const [parcel] = waiting.splice(one.pick % waiting.length, 1);
      if (parcel === undefined) continue;
      const { versions } = (stores[parcel.to] as MemoryStore).receive(1000 + i, parcel.chunks, []);
      for (const result of versions) {
        if (result.type !== "applied") continue;
        const { actor, version, won, lost } = result;
        told({ k: "apply", n: parcel.to, actor, version, via: "gossip", won, lost });
      }
    }
  }
  const digests = [...stores, merged].map((store) => new Map(store.tableDigests()));
  return { text: lines(header(3, { schema }), ...events), truth, digests };
}

describe("rows", () => {
  test("each node's rows are those of its store, after every event", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const { text, truth } = play(steps);
        const trace = readTrace(text);
        const reader = new RowReader(trace);
        const index = buildIndex(trace);
        expect(trace.problem).toBeNull();
        for (const [event, nodes] of truth.entries())
          for (const [n, tables] of nodes.entries()) {
            const vision = nodeVision(index.held, n, event);
            const shown = { t: [] as Value[][], link: [] as Value[][] };
            for (let row = 0; row < trace.rows.count; row++) {
              const state = reader.state(row, vision);
              if (!state.alive) continue;
              const table = trace.rows.tables[trace.rows.table[row] as number];
              const byName = new Map(state.cells.map(({ column, value }) => [column, value]));
              if (table?.name === "link") shown.link.push(reader.key(row) as Value[]);
              else
                shown.t.push([
                  ...(reader.key(row) as Value[]),
                  ...columns.map((name) => byName.get(name) ?? defaultOf(name)),
                ]);
            }
            expect(sorted(shown.t)).toEqual(sorted(tables.t));
            expect(sorted(shown.link)).toEqual(sorted(tables.link));
          }
      }),
      { numRuns: 150 },
    );
  });

  test("a difference is told exactly where the rows shown differ", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 50 }), (steps) => {
        const trace = readTrace(play(steps).text);
        const reader = new RowReader(trace);
        const index = buildIndex(trace);
        const event = trace.count - 1;
        const reference = referenceVision(trace, index.survivors, "written", event);
        const visions = [0, 1, 2].map((n) => nodeVision(index.held, n, event));
        const codes = new Uint8Array(3);
        for (let row = 0; row < trace.rows.count; row++) {
          compareRow(reader, row, reference, visions, codes);
          const wanted = reader.state(row, reference);
          for (const [n, vision] of visions.entries()) {
            const state = reader.state(row, vision);
            const same =
              state.alive === wanted.alive &&
              (!state.alive ||
                (state.causalLength === wanted.causalLength &&
                  sameOrigins(state, wanted) &&
                  made(trace, row, vision, state.causalLength) ===
                    made(trace, row, reference, state.causalLength)));
            expect(codes[n] === Difference.same).toBe(same);
            if (wanted.alive && !state.alive) expect(codes[n]).toBe(Difference.missing);
            if (!wanted.alive && state.alive) expect(codes[n]).toBe(Difference.extra);
            const apart = reader.differingColumns(row, vision, reference);
            expect(apart !== null && apart.length === 0).toBe(same);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a node differs in a table exactly where its state hash does", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 50 }), (steps) => {
        const { text, digests } = play(steps);
        const trace = readTrace(text);
        const index = buildIndex(trace);
        const event = trace.count - 1;
        const reference = referenceVision(trace, index.survivors, "written", event);
        const visions = [0, 1, 2].map((n) => nodeVision(index.held, n, event));
        const diffs = diffTables(new RowReader(trace), reference, visions);
        for (const [i, { name }] of trace.rows.tables.entries()) {
          const { missing, differs, extra } = diffs[i] as (typeof diffs)[number];
          for (const n of [0, 1, 2]) {
            const apart = (missing[n] ?? 0) + (differs[n] ?? 0) + (extra[n] ?? 0) > 0;
            expect(apart, `${name} at n${n}`).toBe(
              digests[n]?.get(name) !== digests.at(-1)?.get(name),
            );
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test("a link row born again elsewhere differs, though it has no columns that could", () => {
    const { text } = play([
      { do: "commit", node: 0, op: ["upsert", "link", { a: 1, b: "a" }] },
      { do: "deliver", pick: 1 },
      { do: "commit", node: 2, op: ["delete", "link", { a: 1, b: "a" }] },
      { do: "commit", node: 2, op: ["upsert", "link", { a: 1, b: "a" }] },
    ]);
    const trace = readTrace(text);
    const reader = new RowReader(trace);
    const { held, survivors } = buildIndex(trace);
    const event = trace.count - 1;
    const reference = referenceVision(trace, survivors, "written", event);
    const codes = new Uint8Array(1);
    compareRow(reader, 0, reference, [nodeVision(held, 0, event)], codes);
    expect(codes[0]).toBe(Difference.differs);
    expect(reader.differingColumns(0, nodeVision(held, 0, event), reference)).toBeNull();
  });
});

type State = ReturnType<RowReader["state"]>;

/** Both stem from the same writes, metadata included. */
function sameOrigins(a: State, b: State): boolean {
  return a.cells.every((cell, c) => {
    const other = b.cells[c];
    return cell.write === other?.write && cell.additions.join() === other.additions.join();
  });
}

/** The latest version seen that made the row without writing cells, of that causal length. */
function made(trace: Trace, row: number, vision: Vision, length: number): number {
  const { writeStart, writeVersion, writeLength, cellStart } = trace.rows;
  let latest = -1;
  for (let w = writeStart[row] as number; w < (writeStart[row + 1] as number); w++) {
    const bare = cellStart[w] === cellStart[w + 1] && writeLength[w] === length;
    const version = writeVersion[w] as number;
    if (bare && sees(vision, version))
      latest = Math.max(latest, trace.versions.rank[version] as number);
  }
  return latest;
}

function defaultOf(column: string): Value {
  return column === "v" ? "?" : column === "c" ? 0 : null;
}

function sorted(rows: Rows): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
