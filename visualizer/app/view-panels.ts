/** The views on the page: one or two (split), each once a trace (compare). */
import type { Palette } from "../draw/palette.ts";
import { lastAt } from "../model/trace.ts";
import { h } from "../ui/dom.ts";
import { ClusterView } from "../views/cluster/view.ts";
import { ConvergenceView } from "../views/convergence/view.ts";
import { DataView } from "../views/data/view.ts";
import { MembersView } from "../views/members/view.ts";
import { SpaceTimeView } from "../views/space-time/view.ts";
import type { Actions, View } from "../views/view.ts";
import type { AppApi } from "./app-api.ts";
import type { Loaded } from "./loaded.ts";
import type { AppState, Side, ViewId } from "./state.ts";

export const viewNames: Readonly<Record<ViewId, string>> = {
  spacetime: "Space-time",
  cluster: "Cluster",
  members: "Membership",
  convergence: "Convergence",
  data: "Data",
};

function createView(id: ViewId, app: Actions): View {
  switch (id) {
    case "spacetime":
      return new SpaceTimeView(app);
    case "cluster":
      return new ClusterView(app);
    case "members":
      return new MembersView(app);
    case "convergence":
      return new ConvergenceView(app);
    case "data":
      return new DataView(app);
  }
}

/** The state as the trace compared with has it: its own events and its own selection. */
export function sideState(state: AppState, other: Loaded): AppState {
  return { ...state, event: lastAt(other.trace, state.t), selection: state.otherSelection };
}

interface Panel {
  readonly key: string;
  readonly side: Side;
  readonly root: HTMLElement;
  readonly view: View;
  readonly loaded: () => Loaded | null;
}

export class ViewPanels {
  readonly root = h("main", { class: "panels", id: "views" });
  readonly #app: AppApi;
  #panels: Panel[] = [];

  constructor(app: AppApi) {
    this.#app = app;
  }

  /** The view that was asked for first: what is exported. */
  get first(): View | null {
    return this.#panels[0]?.view ?? null;
  }

  update(state: AppState, palette: Palette, reducedMotion: boolean): void {
    this.#arrange(state);
    for (const panel of this.#panels) {
      const loaded = panel.loaded();
      if (loaded === null) continue;
      const own = panel.side === "a" ? state : sideState(state, loaded);
      panel.view.update({ loaded, state: own, palette, reducedMotion });
    }
  }

  clear(): void {
    for (const { view } of this.#panels) view.close();
    this.#panels = [];
    this.root.replaceChildren();
  }

  #arrange({ view, split }: AppState): void {
    const views = split === null || split === view ? [view] : [view, split];
    const sides = this.#app.other === null ? (["a"] as const) : (["a", "b"] as const);
    const wanted = views.flatMap((id) =>
      sides.map((side) => ({ id, side, key: `${id}:${side}:${sides.length}` })),
    );
    const keys = wanted.map(({ key }) => key);
    if (keys.join() === this.#panels.map(({ key }) => key).join()) return;
    const kept = new Map(this.#panels.map((panel) => [panel.key, panel]));
    this.#panels = wanted.map(({ id, side, key }) => {
      const known = kept.get(key);
      kept.delete(key);
      return known ?? this.#create(id, side, key, sides.length > 1);
    });
    for (const { view: gone, root } of kept.values()) {
      gone.close();
      root.remove();
    }
    this.root.replaceChildren(...this.#panels.map(({ root }) => root));
    this.root.dataset["rows"] = String(views.length);
    this.root.dataset["columns"] = String(sides.length);
  }

  #create(id: ViewId, side: Side, key: string, labelled: boolean): Panel {
    const view = createView(id, this.#app.actionsOf(side));
    const loaded = (): Loaded | null => (side === "a" ? this.#app.loaded : this.#app.other);
    const badge = labelled ? h("span", { class: "side-badge" }, side.toUpperCase()) : null;
    const root = h("section", { class: "panel", "aria-label": viewNames[id] }, badge, view.root);
    return { key, side, root, view, loaded };
  }
}
