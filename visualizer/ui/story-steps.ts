/** The story of a split, for newcomers: what each step says and shows. Times come from the trace itself. */
import type { AppApi } from "../app/app-api.ts";
import type { Loaded } from "../app/loaded.ts";
import { compareRow, Difference, nodeVision, referenceVision } from "../model/diff.ts";
import type { Vision } from "../model/row-reader.ts";
import { Kind } from "../model/kinds.ts";
import { lastAt } from "../model/trace.ts";

export interface StoryStep {
  readonly title: string;
  /** The card leaves the inspector free. */
  readonly aside?: true;
  text(loaded: Loaded): string;
  show(app: AppApi, loaded: Loaded): void;
}

/** Begin and end of the first partition; the run's thirds where there is none. */
export function splitOf({ index, end }: Loaded): { from: number; to: number } {
  const band = index.timeline.bands.find(({ kind }) => kind === "partition");
  return band === undefined
    ? { from: end / 3, to: (2 * end) / 3 }
    : { from: band.from, to: band.to };
}

function agreedAt({ index, end }: Loaded): number {
  const { to } = splitOf({ index, end } as Loaded);
  return index.marks.find((mark) => mark.kind === "convergence" && mark.t > to)?.t ?? end;
}

/** A commit well before the split. */
function earlyCommit({ trace, index }: Loaded, before: number): number {
  const wanted = before * 0.7;
  return index.heldSteps.committed.find((event) => (trace.t[event] as number) > wanted) ?? 0;
}

/** A cell that both sides wrote in one life of its row, as seen shortly before healing. */
function contested(loaded: Loaded, t: number): { row: number; column: number } | null {
  const { trace, index, rows, lanes } = loaded;
  const event = lastAt(trace, t);
  const visions = lanes.map((n) => nodeVision(index.held, n, event));
  const reference = referenceVision(trace, index.survivors, "written", event);
  const codes = new Uint8Array(lanes.length);
  for (let row = 0; row < trace.rows.count; row++) {
    compareRow(rows, row, reference, visions, codes);
    const differs = codes.indexOf(Difference.differs);
    if (differs < 0 || !codes.includes(Difference.same)) continue;
    const [mine, merged] = [
      rows.state(row, visions[differs] as Vision),
      rows.state(row, reference),
    ];
    if (mine.causalLength !== merged.causalLength) continue;
    const column = merged.cells.findIndex(
      ({ write }, c) => write >= 0 && write !== mine.cells[c]?.write,
    );
    if (column >= 0) return { row, column };
  }
  return null;
}

const seconds = (us: number): string => `${(us / 1e6).toFixed(us < 1e7 ? 2 : 1)} s`;

export const storySteps: readonly StoryStep[] = [
  {
    title: "Five nodes, five databases",
    text: () =>
      "Each lane is a node with a whole copy of the database on its own disk. Time runs to the right. There is no leader and no server in the middle: whoever is asked to write, writes.",
    show(app, loaded) {
      const at = splitOf(loaded).from * 0.3;
      app.set({ view: "spacetime", split: null, selection: null, planes: 7 });
      app.zoom(at, at + 400_000);
      app.moveTo(at + 100_000);
    },
  },
  {
    title: "A write spreads",
    text: () =>
      "The diamond is a transaction, committed on one node. It leaves at once, as gossip, and within milliseconds every other node has applied it (the dots). What is shaded behind the diamond is all that this write could know of; what is shaded after it is all that it could influence.",
    show(app, loaded) {
      const event = earlyCommit(loaded, splitOf(loaded).from);
      const t = loaded.trace.t[event] as number;
      app.set({ view: "spacetime", split: null, planes: 2 });
      app.select({ type: "event", event });
      app.zoom(t - 20_000, t + 80_000);
    },
  },
  {
    title: "The network is cut",
    text: (loaded) =>
      `At ${seconds(splitOf(loaded).from)} the network falls into two sides. Messages across the cut never arrive: each cross is one of them.`,
    show(app, loaded) {
      const { from } = splitOf(loaded);
      app.set({ view: "spacetime", split: null, selection: null, planes: 7 });
      app.zoom(from - 200_000, from + 500_000);
      app.moveTo(from + 150_000);
    },
  },
  {
    title: "Neither side stops",
    text: () =>
      "Both sides go on taking writes. Seen from above: messages run within each side, and across the cut they die halfway. Under each node stands how many versions it is behind.",
    show(app, loaded) {
      const { from, to } = splitOf(loaded);
      app.set({
        view: "cluster",
        split: null,
        layout: "ring",
        selection: null,
        observer: -1,
        planes: 7,
        speed: 1 / 8,
      });
      app.moveTo(from + (to - from) * 0.4);
    },
  },
  {
    title: "They think each other dead",
    text: () =>
      "Each row is what one node believes of the others. Nobody answers across the cut, so each side first suspects the other, then holds it to be down. Wrong, and harmless: belief decides whom to talk to, never what the data are.",
    show(app, loaded) {
      const { from, to } = splitOf(loaded);
      app.set({ view: "members", split: null, selection: null });
      app.moveTo(from + (to - from) * 0.9);
    },
  },
  {
    title: "The data drift apart",
    text: () =>
      "How many versions each node lacks, of all that were written anywhere. The longer the cut lasts, the further apart they are.",
    show(app, loaded) {
      const { from, to } = splitOf(loaded);
      app.set({ view: "convergence", split: null, selection: null, write: -1 });
      app.zoom(from - (to - from) * 0.2, to + (to - from) * 0.3);
      app.moveTo(to - 10_000);
    },
  },
  {
    title: "One key, two truths",
    aside: true,
    text: () =>
      "Just before healing: rows against nodes. Where a sign stands, that node lacks the row or shows something else. The row that is open was written on both sides; the panel lists every candidate and says which one wins wherever the sides meet, and why.",
    show(app, loaded) {
      const { to } = splitOf(loaded);
      const t = to - 1000;
      const found = contested(loaded, t);
      const table =
        loaded.trace.rows.tables[
          found === null ? 0 : (loaded.trace.rows.table[found.row] as number)
        ];
      app.moveTo(t);
      app.set({
        view: "data",
        split: null,
        table: table?.name ?? null,
        reference: "written",
        onlyDiffering: true,
        inspector: true,
        selection: found === null ? null : { type: "cell", node: -1, ...found },
      });
    },
  },
  {
    title: "Healed",
    text: (loaded) =>
      `At ${seconds(splitOf(loaded).to)} the cut is gone. The nodes find each other again, compare what they hold, and fetch exactly what is missing (the dashed lines, and the squares where it is applied).`,
    show(app, loaded) {
      const { to } = splitOf(loaded);
      const agreed = agreedAt(loaded);
      app.set({ view: "spacetime", split: null, selection: null, planes: 6 });
      app.zoom(to - 50_000, Math.max(to + 400_000, agreed + 100_000));
      app.moveTo(to);
    },
  },
  {
    title: "The same again, everywhere",
    text: (loaded) =>
      `${seconds(agreedAt(loaded) - splitOf(loaded).to)} after healing every node holds the same rows, to the last bit of metadata, whatever the order in which each of them received the changes.`,
    show(app, loaded) {
      const agreed = agreedAt(loaded);
      app.set({
        view: "convergence",
        split: "cluster",
        selection: null,
        layout: "ring",
        observer: -1,
      });
      app.zoom(splitOf(loaded).to - 1_000_000, agreed + 1_500_000);
      app.moveTo(agreed + 120_000);
    },
  },
  {
    title: "Now you",
    text: () =>
      "Press Fork and cut something else at this moment; the other future is laid beside this one. Run opens every scenario with any seed. ? shows the keys.",
    show(app, loaded) {
      app.set({ view: "spacetime", split: null, selection: null, planes: 7 });
      app.fit();
      app.moveTo(lastCommitTime(loaded));
    },
  },
];

function lastCommitTime({ trace }: Loaded): number {
  for (let i = trace.count - 1; i >= 0; i--)
    if (trace.kind[i] === Kind.commit) return trace.t[i] as number;
  return 0;
}
