/** A modal dialog on the browser's own element: it keeps the focus inside and gives it back. */
import { type Child, h } from "./dom.ts";
import { iconButton } from "./widgets.ts";

export class Dialog {
  readonly element: HTMLDialogElement;
  readonly body: HTMLElement;

  constructor(title: string, name: string, ...children: readonly Child[]) {
    this.body = h("div", { class: "dialog-body" }, ...children);
    this.element = h(
      "dialog",
      { class: `dialog dialog-${name}`, "aria-label": title },
      h(
        "header",
        {},
        h("h2", {}, title),
        iconButton("close", "Close", () => this.close()),
      ),
      this.body,
    );
    this.element.addEventListener("close", () => this.element.remove());
    // A press on the backdrop lands on the dialog element itself.
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target === this.element) this.close();
    });
  }

  open(): this {
    document.body.append(this.element);
    this.element.showModal();
    this.body.querySelector<HTMLElement>("input, select, textarea")?.focus();
    return this;
  }

  close(): void {
    this.element.close();
  }
}

/** True while a modal dialog is open: keys belong to it. */
export function dialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
