/** Which view is shown, and the choices that belong to it. */
import type { AppApi } from "../app/app-api.ts";
import { layouts, type AppState, type Layout, viewIds, type ViewId } from "../app/state.ts";
import { viewNames } from "../app/view-panels.ts";
import type { Reference } from "../model/diff.ts";
import { planeNames } from "../model/kinds.ts";
import { nodeName } from "../model/trace.ts";
import type { Scene } from "../views/view.ts";
import { h } from "./dom.ts";
import { iconButton, Segments, Select, toggle } from "./widgets.ts";

/** At most this many nodes are offered as observers; others are chosen by clicking them. */
const maxObservers = 200;

export class ViewBar {
  readonly root: HTMLElement;
  readonly #tabs = new Map<ViewId, HTMLButtonElement>();
  readonly #planes: readonly HTMLButtonElement[];
  readonly #planeGroup: HTMLElement;
  readonly #observer: Select<string>;
  readonly #layout: Segments<Layout>;
  readonly #tree: HTMLButtonElement;
  readonly #reference: Segments<Reference>;
  readonly #differing: HTMLButtonElement;
  readonly #split: Select<string>;
  readonly #inspector: HTMLButtonElement;

  constructor(app: AppApi) {
    for (const [i, id] of viewIds.entries())
      this.#tabs.set(
        id,
        h(
          "button",
          {
            type: "button",
            class: "tab",
            title: `${viewNames[id]} (${i + 1})`,
            onclick: () => app.set({ view: id }),
          },
          viewNames[id],
        ),
      );
    this.#planes = planeNames.map((name, plane) =>
      h(
        "button",
        {
          type: "button",
          class: `chip plane-${name}`,
          "aria-pressed": "true",
          title: `Show or hide ${name} messages`,
          onclick: () => app.set({ planes: app.state.planes ^ (1 << plane) }),
        },
        name,
      ),
    );
    this.#planeGroup = h(
      "div",
      { class: "chips", role: "group", "aria-label": "Planes shown" },
      ...this.#planes,
    );
    this.#observer = new Select("Eyes", (value) => app.set({ observer: Number(value) }));
    this.#layout = new Segments(
      "Layout",
      layouts.map((value) => ({ value, text: value })),
      (layout) => app.set({ layout }),
    );
    this.#tree = chip(
      "tree",
      "Eager and lazy links of the broadcast tree, as used in the last 10 s",
      () => app.set({ tree: !app.state.tree }),
    );
    this.#reference = new Segments<Reference>(
      "Compared with",
      [
        { value: "written", text: "all written so far" },
        { value: "end", text: "the final state" },
      ],
      (reference) => app.set({ reference }),
    );
    this.#differing = chip("only differing", "Only rows that differ somewhere", () =>
      app.set({ onlyDiffering: !app.state.onlyDiffering }),
    );
    this.#split = new Select("Below", (value) =>
      app.set({ split: value === "" ? null : (value as ViewId) }),
    );
    this.#inspector = iconButton("panel", "Inspector (I)", () =>
      app.set({ inspector: !app.state.inspector }),
    );
    this.root = h(
      "div",
      { class: "view-bar" },
      h("nav", { class: "tabs", "aria-label": "Views" }, ...this.#tabs.values()),
      h(
        "div",
        { class: "view-options" },
        this.#planeGroup,
        this.#layout.root,
        this.#observer.root,
        this.#tree,
        this.#reference.root,
        this.#differing,
      ),
      h("div", { class: "view-tools" }, this.#split.root, this.#inspector),
    );
  }

  update({ loaded, state }: Scene): void {
    for (const [id, tab] of this.#tabs) {
      const current = id === state.view ? "page" : "false";
      if (tab.getAttribute("aria-current") === current) continue;
      tab.setAttribute("aria-current", current);
      // On a narrow page the tabs scroll. Where they do not, scrolling would still move the place
      // from which Tab goes on.
      const bar = tab.parentElement;
      if (current === "page" && bar !== null && bar.scrollWidth > bar.clientWidth)
        tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    const shown = (...ids: readonly ViewId[]): boolean =>
      ids.includes(state.view) || (state.split !== null && ids.includes(state.split));
    this.#planeGroup.hidden = !shown("spacetime", "cluster");
    this.#layout.root.hidden = !shown("cluster");
    this.#tree.hidden = !shown("cluster");
    this.#observer.root.hidden = !shown("cluster", "members");
    this.#reference.root.hidden = !shown("data");
    this.#differing.hidden = !shown("data");
    for (const [plane, button] of this.#planes.entries())
      toggle(button, (state.planes & (1 << plane)) !== 0);
    toggle(this.#tree, state.tree);
    toggle(this.#differing, state.onlyDiffering);
    toggle(this.#inspector, state.inspector);
    this.#layout.update(state.layout);
    this.#reference.update(state.reference);
    const observers = loaded.lanes.slice(0, maxObservers);
    if (state.observer >= 0 && !observers.includes(state.observer)) observers.push(state.observer);
    this.#observer.update(
      [
        { value: "-1", text: "nobody’s" },
        ...observers.map((n) => ({ value: String(n), text: nodeName(loaded.trace, n) })),
      ],
      String(state.observer),
    );
    this.#split.update(splitOptions(state), state.split ?? "");
  }
}

function splitOptions(state: AppState): { value: string; text: string }[] {
  const others = viewIds.filter((id) => id !== state.view);
  return [
    { value: "", text: "nothing" },
    ...others.map((id) => ({ value: id, text: viewNames[id] })),
  ];
}

function chip(text: string, title: string, onclick: () => void): HTMLButtonElement {
  return h(
    "button",
    { type: "button", class: "chip", "aria-pressed": "false", title, onclick },
    text,
  );
}
