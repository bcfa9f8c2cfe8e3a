/** A button that opens a list of actions, after the menu-button pattern of the ARIA practices. */
import { h, icon } from "./dom.ts";
import { type IconName, icons } from "./icons.ts";

export interface MenuItem {
  readonly text: string;
  readonly icon: IconName;
  readonly act: () => void;
}

export class Menu {
  readonly root: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly #list: HTMLElement;

  constructor(text: string, symbol: IconName, items: readonly MenuItem[]) {
    this.button = h(
      "button",
      {
        type: "button",
        class: "button",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        onclick: () => this.#toggle(),
      },
      icon(icons[symbol]),
      h("span", {}, text),
    );
    this.#list = h(
      "div",
      { class: "menu-list", role: "menu", hidden: true },
      ...items.map((item) =>
        h(
          "button",
          { type: "button", role: "menuitem", tabindex: -1, onclick: () => this.#choose(item) },
          icon(icons[item.icon]),
          item.text,
        ),
      ),
    );
    this.root = h("div", { class: "menu" }, this.button, this.#list);
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("focusout", (event) => {
      if (!this.root.contains(event.relatedTarget as Node | null)) this.#show(false);
    });
  }

  #choose(item: MenuItem): void {
    this.#show(false);
    this.button.focus();
    item.act();
  }

  #toggle(): void {
    this.#show(this.#list.hasAttribute("hidden"));
  }

  #show(open: boolean): void {
    this.#list.hidden = !open;
    this.button.setAttribute("aria-expanded", open ? "true" : "false");
    if (open) this.#items()[0]?.focus();
  }

  #items(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>('[role="menuitem"]')];
  }

  #key(event: KeyboardEvent): void {
    if (this.#list.hidden) return;
    const items = this.#items();
    const at = items.indexOf(document.activeElement as HTMLElement);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: items.length - 1,
    };
    const to = moves[event.key];
    if (event.key === "Escape") {
      this.#show(false);
      this.button.focus();
    } else if (to === undefined) return;
    else items[(to + items.length) % items.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
