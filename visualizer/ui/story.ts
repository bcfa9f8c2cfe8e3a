/** The card that tells the story, over the views that it moves. */
import type { AppApi } from "../app/app-api.ts";
import { h, setText } from "./dom.ts";
import { storySteps } from "./story-steps.ts";
import { iconButton, textButton } from "./widgets.ts";

const storySource = { type: "run", scenario: "split-heal", seed: "story", nodes: null } as const;

export class Story {
  readonly root: HTMLElement;
  readonly #app: AppApi;
  readonly #count = h("span", { class: "kicker" });
  readonly #title = h("h2", {});
  readonly #text = h("p", { "aria-live": "polite" });
  readonly #back: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  #step = -1;
  /** The run was asked for and is not there yet. */
  #waiting = false;

  constructor(app: AppApi) {
    this.#app = app;
    this.#back = textButton("Back", () => this.#go(this.#step - 1));
    this.#next = textButton("Next", () => this.#go(this.#step + 1), { class: "button primary" });
    this.root = h(
      "section",
      { class: "story", "aria-label": "The story of a split", hidden: true },
      h(
        "header",
        {},
        this.#count,
        iconButton("close", "End the story", () => this.stop()),
      ),
      this.#title,
      this.#text,
      h("div", { class: "story-actions" }, this.#back, this.#next),
    );
  }

  start(): void {
    const { loaded } = this.#app;
    this.#step = 0;
    const source = loaded?.source;
    const there =
      source?.type === "run" &&
      source.scenario === storySource.scenario &&
      source.seed === storySource.seed;
    this.#app.closeOther();
    if (there) {
      this.#go(0);
      return;
    }
    this.#waiting = true;
    this.#app.open(storySource);
  }

  stop(): void {
    this.#step = -1;
    this.#waiting = false;
    this.root.hidden = true;
  }

  /** Called after each drawing: begins once the run is there. */
  update(): void {
    const { loaded } = this.#app;
    if (!this.#waiting || loaded === null) return;
    const { source } = loaded;
    if (source.type !== "run" || source.seed !== storySource.seed) return;
    this.#waiting = false;
    this.#go(0);
  }

  #go(step: number): void {
    const { loaded } = this.#app;
    if (loaded === null) return;
    const next = storySteps[step];
    if (next === undefined) {
      this.stop();
      return;
    }
    this.#step = step;
    this.root.hidden = false;
    this.root.dataset["place"] = next.aside === true ? "aside" : "corner";
    setText(this.#count, `The story of a split · ${step + 1} of ${storySteps.length}`);
    setText(this.#title, next.title);
    setText(this.#text, next.text(loaded));
    this.#back.disabled = step === 0;
    setText(this.#next, step === storySteps.length - 1 ? "End" : "Next");
    this.#app.set({ playing: false });
    next.show(this.#app, loaded);
    this.#next.focus({ preventScroll: true });
  }
}
