/** What is being opened or run, how far it is, and what went wrong. */
import type { Side } from "../app/state.ts";
import { h, setText } from "./dom.ts";
import { textButton } from "./widgets.ts";

export class LoadingCard {
  readonly root: HTMLElement;
  readonly #title = h("h2", {}, "");
  readonly #text = h("p", {});
  readonly #bar = h("progress", { max: 1, "aria-label": "Progress" });
  readonly #button: HTMLButtonElement;

  constructor(cancel: () => void) {
    this.#button = textButton("Cancel", () => {
      cancel();
      this.hide();
    });
    this.root = h(
      "div",
      { class: "loading", role: "alert", hidden: true },
      this.#title,
      this.#bar,
      this.#text,
      this.#button,
    );
  }

  show(side: Side, share: number | null, text: string): void {
    this.root.hidden = false;
    this.root.classList.remove("failed");
    setText(this.#title, side === "a" ? "Opening" : "Opening for comparison");
    setText(this.#text, text);
    this.#bar.hidden = false;
    if (share === null) this.#bar.removeAttribute("value");
    else this.#bar.value = share;
    setText(this.#button, "Cancel");
  }

  fail(why: string): void {
    this.root.hidden = false;
    this.root.classList.add("failed");
    setText(this.#title, "That did not work");
    setText(this.#text, why);
    this.#bar.hidden = true;
    setText(this.#button, "Close");
    this.#button.focus();
  }

  hide(): void {
    this.root.hidden = true;
  }
}
