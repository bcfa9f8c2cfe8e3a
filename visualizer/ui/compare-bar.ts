/** Two traces beside each other: where they part, and what came of each. */
import type { AppApi } from "../app/app-api.ts";
import type { Loaded } from "../app/loaded.ts";
import { firstDifference, type Metrics, metricsOf, type Parting } from "../model/compare.ts";
import { titleOf } from "../model/describe.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../model/format.ts";
import { planeNames } from "../model/kinds.ts";
import type { Scene } from "../views/view.ts";
import { h, replace } from "./dom.ts";
import { iconButton, textButton } from "./widgets.ts";

export class CompareBar {
  readonly root = h("section", { class: "compare", "aria-label": "Comparison", hidden: true });
  #a: Loaded | null = null;
  #b: Loaded | null = null;

  constructor(app: AppApi) {
    this.#app = app;
  }

  readonly #app: AppApi;

  update(app: AppApi, _scene: Scene): void {
    const { loaded, other } = app;
    this.root.hidden = loaded === null || other === null;
    if (loaded === null || other === null || (loaded === this.#a && other === this.#b)) {
      if (other === null) this.#b = null;
      return;
    }
    this.#a = loaded;
    this.#b = other;
    const parting = firstDifference(loaded.trace, other.trace);
    replace(
      this.root,
      h(
        "div",
        { class: "compare-line" },
        this.#parting(parting, loaded, other),
        h("span", { class: "spacer" }),
        iconButton("close", "End the comparison (X)", () => app.closeOther()),
      ),
      h(
        "details",
        { open: window.innerHeight > 640 },
        h("summary", {}, "Measures"),
        metricsTable(loaded, other),
      ),
    );
  }

  #parting(parting: Parting, a: Loaded, b: Loaded): HTMLElement {
    if (parting.kind === "equal")
      return h(
        "p",
        {},
        h("strong", {}, "Event for event the same."),
        ` ${formatCount(a.trace.count)} events each.`,
      );
    const { event, t } = parting;
    const tell = (loaded: Loaded): string =>
      event < loaded.trace.count ? titleOf(loaded.trace, event) : "has ended";
    return h(
      "p",
      {},
      h("strong", {}, `The same up to ${formatTime(t, 1)}`),
      ` (${formatCount(event)} events). Then A: ${tell(a)}. B: ${tell(b)}. `,
      textButton("Go there", () => {
        this.#app.moveTo(t);
        this.#app.zoom(t - 60_000, t + 240_000);
      }),
    );
  }
}

/** A row a trace, a column a measure. */
function metricsTable(a: Loaded, b: Loaded): HTMLElement {
  const left = metricsOf(a.trace, a.index);
  const right = metricsOf(b.trace, b.index);
  const converged = ({ convergedAfterUs }: Metrics): string =>
    convergedAfterUs === null ? "never" : formatDuration(convergedAfterUs);
  const measures: [string, (metrics: Metrics) => string][] = [
    ["agree after", converged],
    ["most states", (m) => formatCount(m.mostStates)],
    ["commits", (m) => formatCount(m.commits)],
    ["messages", (m) => formatCount(m.messages)],
    ...planeNames.map((name, plane): [string, (metrics: Metrics) => string] => [
      name,
      (m) => formatBytes(m.bytesByPlane[plane] ?? 0),
    ]),
    ["lost on the way", (m) => formatCount(m.dropped)],
    ["held down though running", (m) => formatCount(m.falseDowns)],
    ["violations", (m) => formatCount(m.violations)],
    ["length", (m) => formatTime(m.durationUs)],
  ];
  const line = (letter: string, name: string, own: Metrics, other: Metrics): HTMLElement =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("strong", {}, letter), ` ${name}`),
      ...measures.map(([, tell]) =>
        h("td", { class: tell(own) === tell(other) ? "" : "differs" }, tell(own)),
      ),
    );
  return h(
    "div",
    { class: "table-scroll" },
    h(
      "table",
      { class: "metrics" },
      h(
        "thead",
        {},
        h("tr", {}, h("td"), ...measures.map(([name]) => h("th", { scope: "col" }, name))),
      ),
      h("tbody", {}, line("A", a.name, left, right), line("B", b.name, right, left)),
    ),
  );
}
