/** Tables × nodes: how many rows of each table each node lacks or has otherwise. */
import type { TableDiff } from "../../model/diff.ts";
import { formatCount } from "../../model/format.ts";
import { nodeName } from "../../model/trace.ts";
import { h, setText } from "../../ui/dom.ts";
import type { Actions, Scene } from "../view.ts";

export class Overview {
  readonly root = h("div", { class: "data-overview" });
  readonly #actions: Actions;
  #shape = "";
  #cells: HTMLElement[][] = [];
  #totals: HTMLElement[] = [];
  #lines: HTMLElement[] = [];

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  /** @param lanes the lanes shown; @param diffs by table, over all lanes. */
  update({ loaded, state }: Scene, lanes: readonly number[], diffs: readonly TableDiff[]): void {
    const { tables } = loaded.trace.rows;
    const shape = `${tables.map(({ name }) => name).join()}|${lanes.join()}`;
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(
        loaded.trace,
        lanes.map((lane) => loaded.told[lane] as number),
      );
    }
    const open = Math.max(
      0,
      tables.findIndex(({ name }) => name === state.table),
    );
    for (const [i, line] of this.#lines.entries())
      line.setAttribute("aria-current", i === open && tables.length > 1 ? "true" : "false");
    for (const [i, diff] of diffs.entries()) {
      setText(this.#totals[i] as HTMLElement, formatCount(diff.rows));
      for (const [k, lane] of lanes.entries())
        this.#fill(this.#cells[i]?.[k] as HTMLElement, diff, lane);
    }
  }

  #fill(cell: HTMLElement, diff: TableDiff, k: number): void {
    const parts = [
      ["missing", diff.missing[k] as number, "∅"],
      ["differs", diff.differs[k] as number, "≠"],
      ["extra", diff.extra[k] as number, "+"],
    ] as const;
    const total = parts.reduce((sum, [, count]) => sum + count, 0);
    const text =
      total === 0
        ? "equal"
        : parts
            .filter(([, count]) => count > 0)
            .map(([, count, sign]) => `${sign}\u2009${formatCount(count)}`)
            .join(" · ");
    setText(cell, text);
    const share = total / Math.max(1, diff.rows);
    cell.className = total === 0 ? "equal" : "apart";
    cell.style.setProperty("--share", `${Math.round(Math.min(1, share) * 100)}%`);
  }

  #build(trace: Scene["loaded"]["trace"], lanes: readonly number[]): void {
    const { tables } = trace.rows;
    this.#totals = tables.map(() => h("td", { class: "count" }));
    this.#cells = tables.map(() => lanes.map(() => h("td")));
    const open = (table: string): void => this.#actions.set({ table });
    this.#lines = tables.map(({ name }, i) =>
      h(
        "tr",
        { onclick: () => open(name) },
        h(
          "th",
          { scope: "row" },
          h("button", { type: "button", class: "link mono", onclick: () => open(name) }, name),
        ),
        this.#totals[i] ?? null,
        ...(this.#cells[i] ?? []),
      ),
    );
    this.root.replaceChildren(
      h(
        "table",
        { class: "diff" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "table"),
            h("th", { scope: "col" }, "rows"),
            ...lanes.map((n) => h("th", { scope: "col" }, nodeName(trace, n))),
          ),
        ),
        h("tbody", {}, ...this.#lines),
      ),
      tables.length === 0 ? h("p", { class: "empty" }, "Nothing was written in this trace.") : "",
    );
  }
}
