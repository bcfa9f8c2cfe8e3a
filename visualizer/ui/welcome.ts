/** The page before anything is open: drop a trace, run a scenario, take the tour. */
import type { AppApi } from "../app/app-api.ts";
import { findBuiltIn } from "../../sim/scenarios/built-in.ts";
import { attachDrop } from "./drop.ts";
import { h, icon } from "./dom.ts";
import { icons } from "./icons.ts";
import { textButton } from "./widgets.ts";

/** Shown as cards, in this order; all others are behind "Run". */
const offered = [
  "split-heal",
  "one-way-cut",
  "random-nemesis",
  "delete-reinsert-storm",
  "lossy-world",
  "churn-100",
] as const;

const titles: Readonly<Record<(typeof offered)[number], string>> = {
  "split-heal": "A split, healed",
  "one-way-cut": "One-way cut",
  "random-nemesis": "Random faults",
  "delete-reinsert-storm": "Delete and re-insert",
  "lossy-world": "Around the lossy world",
  "churn-100": "A hundred nodes, churning",
};

export class Welcome {
  readonly root: HTMLElement;

  constructor(app: AppApi) {
    const chooser = h("input", {
      type: "file",
      class: "visually-hidden",
      id: "welcome-file",
      accept: ".ndjson,.gz,.json,.jsonl",
      onchange: () => {
        const file = chooser.files?.[0];
        if (file !== undefined) app.openFile(file);
      },
    });
    this.root = h(
      "main",
      { class: "welcome" },
      h(
        "section",
        { class: "hero" },
        h("h1", {}, "See a cluster drift apart", h("br"), "and come together."),
        h(
          "p",
          {},
          "Patina replays what a replicated database did, message by message: who knew what and when, why two nodes differ, and why a value won.",
        ),
        h(
          "div",
          { class: "hero-actions" },
          textButton("Take the tour", () => app.startStory(), { class: "button primary" }, "story"),
          textButton("Run a scenario", () => app.showRun(), { class: "button" }, "run"),
          textButton("Open or connect", () => app.showOpen(), { class: "button" }, "open"),
        ),
      ),
      h(
        "section",
        { "aria-label": "Scenarios" },
        h("h2", {}, "Run one here"),
        h(
          "p",
          { class: "lead" },
          "The simulator is part of this page: the same code, the same seed, the same trace as on the command line.",
        ),
        h("div", { class: "cards" }, ...offered.flatMap((name) => card(name, app))),
      ),
      h(
        "label",
        { class: "drop", for: "welcome-file" },
        chooser,
        icon(icons.download),
        h("strong", {}, "Drop a trace here"),
        h("span", {}, "or choose a file: .ndjson or .ndjson.gz, as written by patina sim --trace"),
      ),
    );
    attachDrop(app, () => "a");
  }
}

function card(name: (typeof offered)[number], app: AppApi): HTMLElement[] {
  const builtIn = findBuiltIn(name);
  if (builtIn === null) return [];
  return [
    h(
      "button",
      {
        type: "button",
        class: "card",
        onclick: () => app.open({ type: "run", scenario: name, seed: "1", nodes: null }),
      },
      h("strong", {}, titles[name]),
      h("span", {}, builtIn.summary),
      h("span", { class: "card-foot" }, `${name} · ${builtIn.nodes} nodes`),
    ),
  ];
}
