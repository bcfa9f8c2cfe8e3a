/** Data: tables and then keys against nodes, and where they differ from a reference state. */
import {
  compareRow,
  diffTables,
  nodeVision,
  referenceVision,
  type TableDiff,
} from "../../model/diff.ts";
import { formatCount } from "../../model/format.ts";
import { nodeName } from "../../model/trace.ts";
import type { Vision } from "../../model/row-reader.ts";
import { h, setText } from "../../ui/dom.ts";
import type { Actions, Scene, View } from "../view.ts";
import { isDifferent, maxNodes } from "./cells.ts";
import { type GridContent, KeyGrid } from "./key-grid.ts";
import { rowsByTable } from "./key-order.ts";
import { Overview } from "./overview.ts";

/** While playing the differences are told this often; every frame would be unreadable anyway. */
const playingEveryMs = 120;

export class DataView implements View {
  readonly root: HTMLElement;
  readonly #overview: Overview;
  readonly #grid: KeyGrid;
  readonly #shown = h("span", {});
  readonly #summary = h("p", { class: "data-summary", "aria-live": "polite" });
  #key: readonly unknown[] = [];
  #last = 0;
  #timer = 0;

  constructor(actions: Actions) {
    this.#overview = new Overview(actions);
    this.#grid = new KeyGrid(actions);
    this.root = h(
      "div",
      {
        class: "view data-view",
        role: "group",
        "aria-label": "Data: what each node lacks or has otherwise",
      },
      h("div", { class: "data-top" }, this.#summary),
      this.#overview.root,
      h("h3", { class: "data-shown" }, this.#shown),
      this.#grid.root,
    );
  }

  update(scene: Scene): void {
    const { loaded, state } = scene;
    const key = [
      loaded,
      state.event,
      state.reference,
      state.table,
      state.onlyDiffering,
      state.selection,
    ];
    if (key.every((part, i) => part === this.#key[i])) return;
    const now = performance.now();
    clearTimeout(this.#timer);
    if (state.playing && now - this.#last < playingEveryMs) {
      this.#timer = window.setTimeout(() => this.update(scene), playingEveryMs);
      return;
    }
    this.#last = now;
    this.#key = key;
    this.#draw(scene);
    this.root.dataset["drawMs"] = (performance.now() - now).toFixed(2);
  }

  #draw(scene: Scene): void {
    const { loaded, state } = scene;
    const { trace, index } = loaded;
    if (!index.held.complete) {
      setText(this.#summary, "This trace has too many nodes and versions to compare row by row.");
      return;
    }
    const reference = referenceVision(trace, index.survivors, state.reference, state.event);
    const lanes = this.#shownLanes(scene, reference);
    const visions = lanes.map((n) => nodeVision(index.held, n, state.event));
    const diffs = diffTables(loaded.rows, reference, visions);
    this.#overview.update(scene, lanes, diffs);
    setText(this.#summary, summarise(scene, lanes, diffs));
    const table = openTable(scene);
    this.#grid.root.hidden = table < 0;
    if (table < 0) return;
    const content = this.#content(scene, table, reference, lanes, visions);
    this.#grid.update(scene, content);
    const all = rowsByTable(loaded)[table]?.length ?? 0;
    const shown = state.onlyDiffering
      ? content.rows.length === 0
        ? "no row differs at this moment"
        : `${formatCount(content.rows.length)} of ${formatCount(all)} keys differ somewhere`
      : `${formatCount(all)} keys`;
    setText(this.#shown, `${trace.rows.tables[table]?.name ?? ""}: ${shown}`);
  }

  /** All nodes, or of many those with most differences, in the order of their numbers. */
  #shownLanes({ loaded, state }: Scene, reference: Vision): readonly number[] {
    if (loaded.lanes.length <= maxNodes) return loaded.lanes;
    const visions = loaded.lanes.map((n) => nodeVision(loaded.index.held, n, state.event));
    const totals = loaded.lanes.map((n, i) => ({ n, i, apart: 0 }));
    for (const { missing, differs, extra } of diffTables(loaded.rows, reference, visions))
      for (const total of totals)
        total.apart +=
          (missing[total.i] as number) + (differs[total.i] as number) + (extra[total.i] as number);
    totals.sort((a, b) => b.apart - a.apart || a.n - b.n);
    return totals
      .slice(0, maxNodes)
      .map(({ n }) => n)
      .sort((a, b) => a - b);
  }

  #content(
    { loaded, state }: Scene,
    table: number,
    reference: Vision,
    lanes: readonly number[],
    visions: readonly Vision[],
  ): GridContent {
    const rows = rowsByTable(loaded)[table] ?? new Int32Array();
    const kept: number[] = [];
    const codes = new Uint8Array(rows.length * lanes.length);
    const line = new Uint8Array(lanes.length);
    for (const row of rows) {
      compareRow(loaded.rows, row, reference, visions, line);
      if (state.onlyDiffering && !line.some(isDifferent)) continue;
      codes.set(line, kept.length * lanes.length);
      kept.push(row);
    }
    return { rows: Int32Array.from(kept), lanes, codes };
  }

  svg(): string | null {
    return null;
  }

  async png(): Promise<Blob | null> {
    return null;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.root.remove();
  }
}

/** The table whose keys are shown: the one chosen, else the first; −1 for a trace without any. */
function openTable({ loaded, state }: Scene): number {
  const { tables } = loaded.trace.rows;
  const chosen = tables.findIndex(({ name }) => name === state.table);
  return chosen >= 0 || tables.length === 0 ? chosen : 0;
}

function summarise(
  { loaded, state }: Scene,
  lanes: readonly number[],
  diffs: readonly TableDiff[],
): string {
  const apart = lanes.map((_, k) =>
    diffs.reduce(
      (sum, { missing, differs, extra }) =>
        sum + (missing[k] as number) + (differs[k] as number) + (extra[k] as number),
      0,
    ),
  );
  const most = apart.reduce((max, x) => Math.max(max, x), 0);
  const against =
    state.reference === "end" ? "the final state" : "the merge of everything written so far";
  if (most === 0) return `Every node holds ${against}.`;
  const worst = lanes[apart.indexOf(most)] as number;
  const equal = apart.filter((x) => x === 0).length;
  return `${equal} of ${lanes.length} nodes hold ${against}; ${nodeName(loaded.trace, worst)} is furthest from it, with ${formatCount(most)} rows.`;
}
