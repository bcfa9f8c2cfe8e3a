/** A cell opened: what it shows at one node, every candidate, and in words why the winner won. */
import type { AppApi } from "../app/app-api.ts";
import type { Selection } from "../app/state.ts";
import { nodeVision, referenceVision } from "../model/diff.ts";
import { type Candidate, cellText, type Explanation, explain } from "../model/explain.ts";
import { formatStamp, formatTime } from "../model/format.ts";
import type { RowState } from "../model/row-reader.ts";
import { nodeName } from "../model/trace.ts";
import type { Scene } from "../views/view.ts";
import { type Child, h } from "./dom.ts";

type CellSelection = Extract<Selection, { type: "cell" }>;

const verdictMarks: Readonly<Record<Candidate["verdict"], string>> = {
  wins: "★",
  counts: "+",
  included: "·",
  "older stamp": "↓",
  "lesser value": "<",
  "older life": "†",
  undone: "†",
  "not received": "∅",
};

export function explainSelection(
  { loaded, state }: Scene,
  { row, column, node }: CellSelection,
): Explanation {
  const { index, trace, rows } = loaded;
  const vision =
    node < 0
      ? referenceVision(trace, index.survivors, state.reference, state.event)
      : nodeVision(index.held, node, state.event);
  return explain(rows, index, { row, column, node, vision });
}

export function cellPanel(scene: Scene, selection: CellSelection, app: AppApi): Child[] {
  const { loaded, state } = scene;
  const { trace } = loaded;
  const explanation = explainSelection(scene, selection);
  const place =
    selection.node >= 0
      ? `at ${nodeName(trace, selection.node)}, ${formatTime(state.t)}`
      : state.reference === "end"
        ? "at the end of the run"
        : `merge of all that was written by ${formatTime(state.t)}`;
  return [
    h("h2", { class: "mono" }, explanation.title),
    h("p", { class: "cell-value" }, h("strong", { class: "mono" }, explanation.value), ` ${place}`),
    columnTable(scene, selection, app),
    h("div", { class: "explanation" }, ...explanation.sentences.map((text) => h("p", {}, text))),
    h("h3", {}, "Candidates"),
    candidateTable(explanation.candidates, trace.versions.commit, app),
  ];
}

/** Every column at the node beside the reference; each can be opened. */
function columnTable(
  { loaded, state }: Scene,
  selection: CellSelection,
  app: AppApi,
): HTMLElement | null {
  const { index, trace, rows } = loaded;
  const { row, node } = selection;
  const reference = referenceVision(trace, index.survivors, state.reference, state.event);
  const here = node < 0 ? reference : nodeVision(index.held, node, state.event);
  const [mine, merged] = [rows.state(row, here), rows.state(row, reference)];
  const columns = trace.rows.tables[trace.rows.table[row] as number]?.columns ?? [];
  if (columns.length === 0) return null;
  const differing = rows.differingColumns(row, here, reference);
  const value = (cells: RowState["cells"], c: number): string => {
    const cell = cells[c];
    return cell === undefined ? "–" : cellText(trace, cell);
  };
  const head =
    node < 0
      ? ["column", "value"]
      : [
          "column",
          `at ${nodeName(trace, node)}`,
          state.reference === "end" ? "at the end" : "merged",
        ];
  const open = (column: number): void => app.selectHere({ type: "cell", row, column, node });
  const lines = columns.map((name, column) =>
    h(
      "tr",
      {
        class: differing === null || differing.includes(column) ? "differs" : "",
        "aria-current": column === selection.column ? "true" : null,
      },
      h(
        "th",
        { scope: "row" },
        h("button", { type: "button", class: "link mono", onclick: () => open(column) }, name),
      ),
      h("td", { class: "mono" }, value(mine.cells, column)),
      node < 0 ? null : h("td", { class: "mono" }, value(merged.cells, column)),
    ),
  );
  return h(
    "table",
    { class: "columns" },
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...lines),
  );
}

function candidateTable(
  candidates: readonly Candidate[],
  commits: Int32Array,
  app: AppApi,
): HTMLElement {
  const head = ["", "value", "version", "life", "stamp", "actor"];
  return h(
    "div",
    { class: "table-scroll" },
    h(
      "table",
      { class: "candidates" },
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
      h(
        "tbody",
        {},
        ...candidates.slice(0, 200).map((one) =>
          h(
            "tr",
            { class: `verdict-${one.verdict.replace(" ", "-")}` },
            h("td", { title: one.verdict, "aria-label": one.verdict }, verdictMarks[one.verdict]),
            h("td", { class: "mono" }, one.value),
            h(
              "td",
              {},
              h(
                "button",
                {
                  type: "button",
                  class: "link",
                  title: `written at ${formatTime(one.committedAt)}`,
                  onclick: () =>
                    app.selectHere({ type: "event", event: commits[one.version] as number }),
                },
                one.name,
              ),
            ),
            h("td", {}, String(one.causalLength)),
            h("td", { class: "mono" }, formatStamp(one.ms, one.counter)),
            h("td", { class: "mono" }, one.actor.slice(0, 8)),
          ),
        ),
      ),
    ),
  );
}
