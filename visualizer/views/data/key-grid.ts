/** Keys × nodes of one table: only the rows in sight exist as elements, and cells change only where they must. */
import type { Loaded } from "../../app/loaded.ts";
import { Difference } from "../../model/diff.ts";
import { formatValue } from "../../model/format.ts";
import type { Vision } from "../../model/row-reader.ts";
import { nodeName } from "../../model/trace.ts";
import { h, setText } from "../../ui/dom.ts";
import type { Actions, Scene } from "../view.ts";
import { differenceName, signs } from "./cells.ts";

const rowHeight = 26;
const spare = 4;

export interface GridContent {
  /** Row ids, in key order. */
  readonly rows: Int32Array;
  /** Nodes shown. */
  readonly lanes: readonly number[];
  /** Difference of row `rows[i]` at node `lanes[k]`: `codes[i * lanes.length + k]`. */
  readonly codes: Uint8Array;
  /** What the nodes are compared with, and each of them. */
  readonly reference: Vision;
  readonly visions: readonly Vision[];
}

interface Line {
  readonly root: HTMLElement;
  readonly key: HTMLElement;
  readonly cells: HTMLButtonElement[];
  /** The columns in which any node differs. */
  readonly apart: HTMLElement;
  /** Of each cell, as it was set last. */
  readonly labels: string[];
  row: number;
}

export class KeyGrid {
  readonly root: HTMLElement;
  readonly #actions: Actions;
  readonly #head = h("div", { class: "grid-line grid-head", role: "row" });
  readonly #body = h("div", { class: "grid-body", role: "presentation" });
  readonly #scroller: HTMLElement;
  #lines: Line[] = [];
  #content: GridContent | null = null;
  #scene: Scene | null = null;
  #names: HTMLElement[] = [];
  #revealed = -1;

  constructor(actions: Actions) {
    this.#actions = actions;
    this.#scroller = h(
      "div",
      {
        class: "grid-scroll",
        role: "grid",
        "aria-label": "Keys and nodes",
        onscroll: () => this.#draw(),
      },
      this.#head,
      this.#body,
    );
    this.root = h("div", { class: "data-keys" }, this.#scroller);
    this.#scroller.addEventListener("keydown", (event) => this.#key(event));
  }

  update(scene: Scene, content: GridContent): void {
    this.#scene = scene;
    this.#content = content;
    this.#arrange(scene, content.lanes);
    this.#scroller.setAttribute("aria-rowcount", String(content.rows.length));
    this.#body.style.setProperty("height", `${content.rows.length * rowHeight}px`);
    this.#reveal(scene, content);
    this.#draw();
  }

  /** A column a node, and one for what differs; made anew only when there are more or fewer. */
  #arrange({ loaded }: Scene, lanes: readonly number[]): void {
    if (lanes.length !== this.#names.length) {
      this.#names = lanes.map(() => h("span", { class: "grid-cell", role: "columnheader" }));
      this.#lines = [];
      this.#body.replaceChildren();
      this.#head.replaceChildren(
        h("span", { class: "grid-key", role: "columnheader" }, "key"),
        ...this.#names,
        h("span", { class: "grid-apart", role: "columnheader" }, "differs in"),
      );
    }
    for (const [k, n] of lanes.entries())
      setText(this.#names[k] as HTMLElement, nodeName(loaded.trace, n));
  }

  /** Scrolls to a row that was selected elsewhere. */
  #reveal({ state }: Scene, { rows }: GridContent): void {
    const row = state.selection?.type === "cell" ? state.selection.row : -1;
    if (row === this.#revealed) return;
    this.#revealed = row;
    const at = rows.indexOf(row);
    const { scrollTop, clientHeight } = this.#scroller;
    if (row < 0 || at < 0) return;
    const y = at * rowHeight;
    if (y < scrollTop || y + 2 * rowHeight > scrollTop + clientHeight)
      this.#scroller.scrollTop = Math.max(0, y - clientHeight / 2);
  }

  #draw(): void {
    const content = this.#content;
    const scene = this.#scene;
    if (content === null || scene === null) return;
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / rowHeight) - spare);
    const wanted = Math.ceil(this.#scroller.clientHeight / rowHeight) + 2 * spare;
    const count = Math.min(wanted, content.rows.length - first);
    while (this.#lines.length < count) this.#lines.push(this.#line());
    for (const [i, line] of this.#lines.entries()) {
      const at = first + i;
      line.root.hidden = i >= count;
      if (i < count) this.#fill(line, at, content, scene);
    }
  }

  #line(): Line {
    const key = h("span", { class: "grid-key mono", role: "rowheader" });
    const apart = h("span", { class: "grid-apart mono", role: "gridcell" });
    const cells = this.#names.map((_, k) =>
      h("button", {
        type: "button",
        class: "grid-cell",
        tabindex: -1,
        onclick: () => this.#choose(line, this.#content?.lanes[k] ?? -1),
      }),
    );
    const line: Line = {
      root: h(
        "div",
        { class: "grid-line", role: "row" },
        key,
        ...cells.map((cell) => h("span", { class: "grid-slot", role: "gridcell" }, cell)),
        apart,
      ),
      key,
      cells,
      apart,
      labels: [],
      row: -1,
    };
    key.addEventListener("click", () => this.#choose(line, -1));
    this.#body.append(line.root);
    return line;
  }

  #fill(line: Line, at: number, content: GridContent, { loaded, state }: Scene): void {
    const { rows, lanes, codes } = content;
    const row = rows[at] as number;
    const text = keyText(loaded, row);
    line.row = row;
    line.root.style.setProperty("transform", `translateY(${at * rowHeight}px)`);
    setText(line.key, text);
    const { selection } = state;
    const chosen = selection?.type === "cell" && selection.row === row ? selection.node : -2;
    for (const [k, cell] of line.cells.entries()) {
      const name = differenceName(codes[at * lanes.length + k] as number);
      setText(cell, signs[name]);
      const classes = `grid-cell ${name}${chosen === lanes[k] ? " chosen" : ""}`;
      if (cell.className !== classes) cell.className = classes;
      const label = `${text} at ${nodeName(loaded.trace, lanes[k] as number)}: ${name}`;
      if (line.labels[k] === label) continue;
      line.labels[k] = label;
      cell.setAttribute("aria-label", label);
      cell.title = label;
    }
    setText(line.apart, apartText(loaded, row, at, content));
    line.root.classList.toggle("chosen", chosen >= -1);
    line.cells[0]?.setAttribute("tabindex", at === 0 ? "0" : "-1");
  }

  /** Opens a row at a node: at its first differing column, if there is one. */
  #choose(line: Line, node: number): void {
    this.#actions.select({ type: "cell", row: line.row, column: -1, node });
    if (this.#scene?.state.inspector === false) this.#actions.set({ inspector: true });
  }

  #key(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      ArrowRight: [0, 1],
      ArrowLeft: [0, -1],
    };
    const move = moves[event.key];
    if (move === undefined) return;
    const lines = this.#lines.filter(({ root }) => !root.hidden);
    const line = lines.findIndex(({ cells }) =>
      cells.includes(document.activeElement as HTMLButtonElement),
    );
    const column = lines[line]?.cells.indexOf(document.activeElement as HTMLButtonElement) ?? -1;
    if (line < 0 || column < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = lines[line + move[0]]?.cells[column + move[1]];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}

/** The columns in which some node has the row otherwise than the reference: "v, n". */
function apartText(
  { rows, trace }: Loaded,
  row: number,
  at: number,
  { codes, visions, reference }: GridContent,
): string {
  const columns = trace.rows.tables[trace.rows.table[row] as number]?.columns ?? [];
  const apart = new Set<number>();
  let whole = false;
  for (const [k, vision] of visions.entries()) {
    if (codes[at * visions.length + k] === Difference.same) continue;
    const differing = rows.differingColumns(row, vision, reference);
    if (differing === null) whole = true;
    else for (const column of differing) apart.add(column);
  }
  const names = columns.filter((_, column) => apart.has(column));
  return [...(whole ? ["the whole row"] : []), ...names].join(", ");
}

export function keyText(loaded: Loaded, row: number): string {
  return loaded.rows.key(row).map(formatValue).join(", ");
}
