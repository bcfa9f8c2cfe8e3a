/** A line that goes away by itself, and is read out by screen readers. */
import { h, setText } from "./dom.ts";

const shownForMs = 4000;

export class Toast {
  readonly root = h("div", { class: "status", role: "status", "aria-live": "polite" });
  #timer = 0;

  say(text: string): void {
    setText(this.root, text);
    this.root.classList.add("shown");
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.root.classList.remove("shown"), shownForMs);
  }
}
