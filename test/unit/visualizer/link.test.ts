/** Deep links: what they carry comes back, and what makes no sense is passed over. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatLink, parseLink } from "../../../visualizer/app/deep-link.ts";
import type { Source } from "../../../visualizer/app/source.ts";
import {
  type AppState,
  initialState,
  layouts,
  type Selection,
  speeds,
  viewIds,
} from "../../../visualizer/app/state.ts";

const event = fc.nat(1e9);
const time = fc.integer({ min: 0, max: 1e12 }).map((t) => t / 4);
const selection: fc.Arbitrary<Selection | null> = fc.oneof(
  fc.constant(null),
  event.map((one): Selection => ({ type: "event", event: one })),
  fc.nat(9999).map((n): Selection => ({ type: "node", n })),
  fc
    .tuple(fc.nat(1e6), fc.integer({ min: -1, max: 40 }), fc.integer({ min: -1, max: 99 }))
    .map(([row, column, node]): Selection => ({ type: "cell", row, column, node })),
);
const span = fc
  .tuple(time, fc.integer({ min: 1, max: 1e9 }))
  .map(([from, length]): [number, number] => [from, from + length]);

const state: fc.Arbitrary<AppState> = fc
  .record({
    view: fc.constantFrom(...viewIds),
    split: fc.option(fc.constantFrom(...viewIds)),
    t: time,
    scroll: fc.integer({ min: 0, max: 5000 }).map((hundredths) => hundredths / 100),
    event: fc.integer({ min: -1, max: 1e9 }),
    window: span,
    selection,
    otherSelection: selection,
    side: fc.constantFrom("a" as const, "b" as const),
    observer: fc.integer({ min: -1, max: 9999 }),
    layout: fc.constantFrom(...layouts),
    tree: fc.boolean(),
    planes: fc.nat(7),
    speed: fc.constantFrom(...speeds),
    loop: fc.option(span),
    reference: fc.constantFrom("written" as const, "end" as const),
    table: fc.option(fc.string({ minLength: 1 }).map((name) => name.toWellFormed())),
    onlyDiffering: fc.boolean(),
    write: fc.integer({ min: -1, max: 1e6 }),
    inspector: fc.boolean(),
  })
  .map(({ window: [from, to], ...rest }) => ({ ...rest, from, to, playing: false }));

const name = fc.string({ minLength: 1, maxLength: 30 }).map((text) => text.toWellFormed());
const source: fc.Arbitrary<Source> = fc.oneof(
  fc.webUrl().map((url): Source => ({ type: "url", url })),
  fc
    .tuple(fc.webUrl(), fc.option(fc.integer({ min: 1000, max: 1_000_000 })))
    .map(([url, keep]): Source => ({ type: "live", url, keep })),
  name.map((file): Source => ({ type: "file", name: file })),
  fc.record({
    type: fc.constant("run" as const),
    scenario: fc.constantFrom("split-heal", "control"),
    seed: name,
    nodes: fc.option(fc.integer({ min: 1, max: 500 })),
  }),
  fc.record({
    type: fc.constant("run" as const),
    scenario: fc
      .dictionary(name, fc.jsonValue(), { noNullPrototype: true })
      .map((object) => JSON.parse(JSON.stringify(object)) as Record<string, unknown>),
    seed: name,
    nodes: fc.constant(null),
  }),
);

describe("deep links", () => {
  test("restore view, time, zoom, selection, filters and both sources", async () => {
    await fc.assert(
      fc.asyncProperty(state, source, fc.option(source), async (one, from, other) => {
        const link = await parseLink("", `#${await formatLink(one, from, other)}`);
        expect({ ...initialState, ...link.state }).toEqual(one);
        expect(link.source).toEqual(from);
        expect(link.other).toEqual(other);
      }),
      { numRuns: 150 },
    );
  });

  test("a source may stand before the # as well", async () => {
    expect((await parseLink("?trace=/trace/a.ndjson", "")).source).toEqual({
      type: "url",
      url: "/trace/a.ndjson",
    });
    expect((await parseLink("?live=/v1/trace", "#view=data")).state).toEqual({ view: "data" });
  });

  test("arbitrary addresses never throw and never make a state that cannot be", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (search, hash) => {
        const link = await parseLink(`?${search}`, `#${hash}`);
        expect(viewIds).toContain(link.state.view ?? "data");
      }),
    );
    const odd =
      "view=x&t=&w=5_1&sel=event.-1&planes=9&speed=3&loop=1&layout=cube&e=1.5&scenario=%%%&sel=cell.1";
    expect((await parseLink("", `#${odd}`)).state).toEqual({});
    expect((await parseLink("", "#scenario=AAAA")).source).toBeNull();
  });
});
