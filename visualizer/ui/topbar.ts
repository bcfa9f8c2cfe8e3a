/** The head of the page: what is open, and everything that can be done with it. */
import type { AppApi } from "../app/app-api.ts";
import { h, icon, setText } from "./dom.ts";
import { icons } from "./icons.ts";
import { Menu } from "./menu.ts";
import { iconButton, textButton } from "./widgets.ts";

export class Topbar {
  readonly root: HTMLElement;
  readonly #title = h("span", { class: "trace-name" });
  readonly #detail = h("span", { class: "trace-detail" });
  readonly #liveText = h("span", {}, "live");
  readonly #live: HTMLButtonElement;
  readonly #needTrace: readonly HTMLButtonElement[];

  constructor(app: AppApi) {
    const fork = textButton(
      "Fork",
      () => app.showFork(),
      { title: "Try what would have happened otherwise (K)" },
      "fork",
    );
    const exportMenu = new Menu("Export", "download", [
      { text: "Copy a link to this view", act: () => void app.copyLink(), icon: "copy" },
      { text: "Picture (PNG)", act: () => void app.export("png"), icon: "download" },
      { text: "Picture (SVG)", act: () => void app.export("svg"), icon: "download" },
      { text: "Scenario file", act: () => void app.export("scenario"), icon: "download" },
      {
        text: "Trace for Perfetto (JSON)",
        act: () => void app.export("perfetto"),
        icon: "download",
      },
    ]);
    this.#live = h(
      "button",
      { type: "button", class: "live-badge", hidden: true, onclick: () => app.toggleLive() },
      icon(icons.live),
      this.#liveText,
    );
    this.#needTrace = [fork, exportMenu.button];
    this.root = h(
      "header",
      { class: "topbar" },
      h(
        "a",
        { class: "brand", href: "#", onclick: (event: Event) => goHome(event, app) },
        logo(),
        h("span", {}, "Patina"),
      ),
      h("div", { class: "trace-title" }, this.#title, this.#detail, this.#live),
      h(
        "nav",
        { class: "top-actions", "aria-label": "Actions" },
        textButton("Open", () => app.showOpen(), { title: "Open a trace (O)" }, "open"),
        textButton("Run", () => app.showRun(), { title: "Run a scenario here (R)" }, "run"),
        fork,
        exportMenu.root,
        iconButton("story", "The story of a split (S)", () => app.startStory()),
        iconButton("theme", "Light or dark (T)", () => app.nextTheme()),
        iconButton("help", "Keys and signs (?)", () => app.showHelp()),
      ),
    );
  }

  update(app: AppApi): void {
    const { loaded, other } = app;
    for (const button of this.#needTrace) button.disabled = loaded === null;
    setText(this.#title, loaded === null ? "" : loaded.name);
    const seed = loaded?.trace.header.seed;
    const parts = [
      seed === null || seed === undefined ? "" : `seed ${seed}`,
      loaded === null ? "" : `${loaded.lanes.length} nodes`,
      other === null ? "" : `compared with ${other.name}`,
    ];
    setText(this.#detail, parts.filter((part) => part !== "").join(" · "));
    this.#live.hidden = loaded?.source.type !== "live" || loaded.trace.problem !== null;
    const { paused, trouble } = app.live;
    const state = trouble !== null ? "no connection" : paused ? "paused" : "live";
    setText(this.#liveText, state);
    this.#live.dataset["state"] = state;
    const label = paused ? "Show what happens again (G)" : "Pause what is shown (G)";
    this.#live.title = trouble ?? label;
    this.#live.setAttribute("aria-label", `${state}. ${label}`);
  }
}

function goHome(event: Event, app: AppApi): void {
  event.preventDefault();
  app.showOpen();
}

/** Two overlapping rounds, one of them weathered: copper and verdigris. */
function logo(): SVGSVGElement {
  const svg = icon("");
  svg.setAttribute("class", "logo");
  svg.replaceChildren();
  const circles = [
    ["7.5", "logo-copper"],
    ["12.5", "logo-green"],
  ] as const;
  for (const [cx, name] of circles) {
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [key, value] of Object.entries({ cx, cy: "10", r: "6", class: name }))
      circle.setAttribute(key, value);
    svg.append(circle);
  }
  return svg;
}
