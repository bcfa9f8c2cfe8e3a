/**
 * Explanations against the rules of the merge, written down here once more and from the text alone:
 * the candidates of random histories, with equal stamps, unseen writes and every policy among them.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeVision, referenceVision } from "../../../visualizer/model/diff.ts";
import { type Candidate, explain } from "../../../visualizer/model/explain.ts";
import { RowReader } from "../../../visualizer/model/row-reader.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { actors, apply, commit, header, lines, readTrace } from "./read.ts";

const schema = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT, hi INTEGER MAX, lo INTEGER MIN, c INTEGER COUNTER NOT NULL DEFAULT 0)",
];
const columns = ["v", "hi", "lo", "c"] as const;
type Column = (typeof columns)[number];

interface Write {
  readonly node: number;
  /** Counted from 1 for each node. */
  readonly version: number;
  readonly ms: number;
  readonly counter: number;
  readonly cl: number;
  /** A number, null, or what is added. */
  readonly cells: Partial<Record<Column, number | null | { readonly add: number }>>;
}

const value = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constant(null));
const drawn = fc.record({
  node: fc.nat(2),
  ms: fc.integer({ min: 1, max: 3 }),
  counter: fc.nat(1),
  life: fc.nat(4),
  hi: value,
  lo: value,
  v: value,
  add: fc.integer({ min: 1, max: 5 }),
  has: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
  /** Which other nodes it reaches. */
  reaches: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
});

/** Stamps of one author rise, as those of real ones do; those of different authors may be equal. */
function history(draws: readonly (typeof drawn extends fc.Arbitrary<infer T> ? T : never)[]): {
  readonly text: string;
  readonly writes: readonly Write[];
  readonly seen: readonly (readonly Write[])[];
} {
  const writes: Write[] = [];
  const seen: Write[][] = [[], [], []];
  const events: Record<string, unknown>[] = [];
  const last = [0, 0, 0];
  const versions = [0, 0, 0];
  for (const draw of draws) {
    const { node } = draw;
    const version = (versions[node] ?? 0) + 1;
    versions[node] = version;
    const stamp = Math.max((last[node] ?? 0) + 1, draw.ms * 2 + draw.counter);
    last[node] = stamp;
    const cl = draw.life + 1;
    const begins = !seen[node]?.some((one) => one.cl === cl);
    const cells: Write["cells"] = {};
    const all = cl % 2 === 1 && begins;
    if (all || (cl % 2 === 1 && draw.has[0])) cells.v = draw.v;
    if (all || (cl % 2 === 1 && draw.has[1])) cells.hi = draw.hi;
    if (all || (cl % 2 === 1 && draw.has[2])) cells.lo = draw.lo;
    if (all) cells.c = 10;
    else if (cl % 2 === 1 && (draw.has[3] || Object.keys(cells).length === 0))
      cells.c = { add: draw.add };
    const write = { node, version, ms: stamp >> 1, counter: stamp & 1, cl, cells };
    writes.push(write);
    seen[node]?.push(write);
    const { ms, counter } = write;
    const t = events.length;
    events.push(commit(t, node, version, { ms, counter, cl, cells: Object.entries(cells) }));
    for (const to of [0, 1, 2]) {
      if (to === node || draw.reaches[to] !== true) continue;
      events.push(apply(events.length, to, node, version));
      seen[to]?.push(write);
    }
  }
  return { text: lines(header(3, { schema }), ...events), writes, seen };
}

function later(a: Write, b: Write): boolean {
  if (a.ms !== b.ms) return a.ms > b.ms;
  if (a.counter !== b.counter) return a.counter > b.counter;
  return (actors[a.node] as string) > (actors[b.node] as string);
}

const latest = (list: readonly Write[]): Write | undefined =>
  list.find((one) => list.every((other) => other === one || later(one, other)));

/** Rule 7: further out wins; NULL is no value; equal values are told apart by (stamp, actor). */
function furthest(list: readonly Write[], column: "hi" | "lo"): Write | undefined {
  const sign = column === "hi" ? 1 : -1;
  const extreme = (one: Write): number => {
    const cell = one.cells[column];
    return typeof cell === "number" ? sign * cell : Number.NEGATIVE_INFINITY;
  };
  const top = Math.max(...list.map(extreme));
  return latest(list.filter((one) => extreme(one) === top));
}

interface Expected {
  readonly value: string;
  /** By "node:version". */
  readonly verdicts: ReadonlyMap<string, Candidate["verdict"]>;
}

const idOf = ({ node, version }: Write): string => `n${node}:${version}`;

function expected(all: readonly Write[], seen: readonly Write[], column: Column): Expected {
  const verdicts = new Map<string, Candidate["verdict"]>();
  const life = Math.max(0, ...seen.map(({ cl }) => cl));
  const concerns = (one: Write): boolean => one.cl % 2 === 0 || one.cells[column] !== undefined;
  for (const one of all.filter(concerns)) {
    if (!seen.includes(one)) verdicts.set(idOf(one), "not received");
    else if (one.cl < life) verdicts.set(idOf(one), one.cl % 2 === 0 ? "undone" : "older life");
  }
  const rivals = seen.filter((one) => one.cl === life && concerns(one));
  const isAdded = ({ cells }: Write): boolean => typeof (cells[column] ?? 0) === "object";
  const setters = life % 2 === 0 ? rivals : rivals.filter((one) => !isAdded(one));
  const winner =
    life % 2 === 1 && (column === "hi" || column === "lo")
      ? furthest(setters, column)
      : latest(setters);
  for (const one of setters) {
    const lesser =
      life % 2 === 1 &&
      (column === "hi" || column === "lo") &&
      one.cells[column] !== winner?.cells[column];
    verdicts.set(idOf(one), one === winner ? "wins" : lesser ? "lesser value" : "older stamp");
  }
  if (life === 0) return { value: "no such row", verdicts };
  if (life % 2 === 0) return { value: "deleted", verdicts };
  let shown = winner?.cells[column] ?? (column === "c" ? 0 : null);
  for (const node of [0, 1, 2]) {
    const own = rivals.filter((one) => isAdded(one) && one.node === node);
    const last = latest(own);
    for (const one of own) verdicts.set(idOf(one), one === last ? "counts" : "included");
    // A later total of an author includes its earlier ones, also those that were not received.
    for (const one of all) {
      if (one.node !== node || one.cl !== life || last === undefined || later(one, last)) continue;
      const cell = one.cells[column] ?? null;
      if (typeof cell === "object" && cell !== null) shown = (shown as number) + cell.add;
    }
  }
  return { value: shown === null ? "NULL" : JSON.stringify(shown), verdicts };
}

describe("explanations by the rules", () => {
  test("the winner, every verdict and the value are those of the rules, at each node and merged", () => {
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 1, maxLength: 12 }), (draws) => {
        const { text, writes, seen } = history(draws);
        const trace = readTrace(text);
        expect(trace.problem).toBeNull();
        const index = buildIndex(trace);
        const reader = new RowReader(trace);
        const event = trace.count - 1;
        const named = trace.rows.tables[0]?.columns ?? [];
        for (const [column, name] of named.entries())
          for (const node of [-1, 0, 1, 2]) {
            const vision =
              node < 0
                ? referenceVision(trace, index.survivors, "written", event)
                : nodeVision(index.held, node, event);
            const told = explain(reader, index, { row: 0, column, node, vision });
            const have = node < 0 ? writes : (seen[node] ?? []);
            const want = expected(writes, have, name as Column);
            expect(told.value).toBe(want.value);
            expect(
              new Map(told.candidates.map((one) => [one.name, one.verdict])),
              `${name} at ${node}`,
            ).toEqual(want.verdicts);
            wordsAreTrue(told.sentences, told.candidates);
          }
      }),
      { numRuns: 150 },
    );
  });
});

/** What the sentences claim of two writes, against the writes. */
function wordsAreTrue(sentences: readonly string[], candidates: readonly Candidate[]): void {
  const of = (name: string | undefined): Candidate => {
    const one = candidates.find((candidate) => candidate.name === name);
    if (one === undefined) throw new Error(`a sentence tells of ${name}, which is no candidate`);
    return one;
  };
  const winner = candidates.find(({ verdict }) => verdict === "wins");
  for (const sentence of sentences) {
    const older = /^(\S+) wrote .+ stamp is (\S+) ms older/.exec(sentence);
    if (older !== null) expect((winner?.ms ?? 0) - of(older[1]).ms).toBe(Number(older[2]));
    const counter = /^(\S+) wrote .+ with counter (\d+); (\S+) has (\d+)/.exec(sentence);
    if (counter !== null) {
      expect(winner?.ms).toBe(of(counter[1]).ms);
      expect(Number(counter[2])).toBe(of(counter[1]).counter);
      expect(Number(counter[4])).toBe(winner?.counter);
      expect(Number(counter[4])).toBeGreaterThan(Number(counter[2]));
    }
    const actor = /^(\S+) wrote .+ decides: (\S{8})… over (\S{8})…/.exec(sentence);
    if (actor !== null) {
      expect([winner?.ms, winner?.counter]).toEqual([of(actor[1]).ms, of(actor[1]).counter]);
      expect((actor[2] as string) > (actor[3] as string)).toBe(true);
    }
    if (sentence.includes("nothing else competes"))
      expect(candidates.filter(({ verdict }) => verdict !== "not received")).toEqual([winner]);
    const gives = /so (\S+) \((\S+)\) gives way/.exec(sentence);
    if (gives !== null) expect(of(gives[1]).value).not.toBe(winner?.value);
  }
}
