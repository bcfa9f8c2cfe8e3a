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
    const all = loaded.told.map((n) => nodeVision(index.held, n, state.event));
    const diffs = diffTables(loaded.rows, reference, all);
    const apart = apartByNode(diffs, all.length);
    setText(this.#summary, summarise(scene, apart));
    const shown = shownLanes(apart);
    const lanes = shown.map((lane) => loaded.told[lane] as number);
    const visions = shown.map((lane) => all[lane] as Vision);
    this.#overview.update(scene, shown, diffs);
    const table = openTable(scene);
    this.#grid.root.hidden = table < 0;
    if (table < 0) return;
    const content = this.#content(scene, table, reference, lanes, visions);
    this.#grid.update(scene, content);
    const keys = rowsByTable(loaded)[table]?.length ?? 0;
    const text = state.onlyDiffering
      ? content.rows.length === 0
        ? "no row differs at this moment"
        : `${formatCount(content.rows.length)} of ${formatCount(keys)} keys differ somewhere`
      : `${formatCount(keys)} keys`;
    const some =
      shown.length < all.length
        ? ` · ${shown.length} of ${all.length} nodes shown, those that differ first`
        : "";
    setText(this.#shown, `${trace.rows.tables[table]?.name ?? ""}: ${text}${some}`);
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
    return { rows: Int32Array.from(kept), lanes, codes, reference, visions };
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

/** Rows that each node lacks or has otherwise, in all tables together. */
function apartByNode(diffs: readonly TableDiff[], nodes: number): Int32Array {
  const apart = new Int32Array(nodes);
  for (const { missing, differs, extra } of diffs)
    for (let lane = 0; lane < nodes; lane++)
      apart[lane] =
        (apart[lane] as number) +
        (missing[lane] as number) +
        (differs[lane] as number) +
        (extra[lane] as number);
  return apart;
}

/** All nodes in their order; of many those that differ, and then as many others as there is room for. */
function shownLanes(apart: Int32Array): number[] {
  const lanes = Array.from(apart, (_, lane) => lane);
  if (lanes.length <= maxNodes) return lanes;
  const most = [...lanes].sort((a, b) => (apart[b] as number) - (apart[a] as number) || a - b);
  return most
    .slice(0, maxNodes)
    .sort((a, b) => Number(apart[a] === 0) - Number(apart[b] === 0) || a - b);
}

function summarise({ loaded, state }: Scene, apart: Int32Array): string {
  const told =
    loaded.trace.header.source === "live"
      ? ` Told by ${loaded.told.map((n) => nodeName(loaded.trace, n)).join(", ")}; what was written before this trace began, or elsewhere, is not in it.`
      : "";
  const most = apart.reduce((max, x) => Math.max(max, x), 0);
  const against =
    state.reference === "end" ? "the final state" : "the merge of everything written so far";
  if (most === 0) return `Every node holds ${against}.${told}`;
  const worst = nodeName(loaded.trace, loaded.told[apart.indexOf(most)] as number);
  const equal = apart.filter((x) => x === 0).length;
  return `${equal} of ${apart.length} nodes hold ${against}; ${worst} is furthest from it, with ${formatCount(most)} rows.${told}`;
}
