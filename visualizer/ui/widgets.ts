/** Small parts that the whole page shares. */
import { type Child, h, icon, type Props } from "./dom.ts";
import { type IconName, icons } from "./icons.ts";

/** A button of an icon alone; `label` is its name for everybody who does not see it. */
export function iconButton(
  name: IconName,
  label: string,
  onclick: () => void,
  props: Props = {},
): HTMLButtonElement {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props },
    icon(icons[name]),
  );
}

export function textButton(
  text: string,
  onclick: () => void,
  props: Props = {},
  symbol?: IconName,
): HTMLButtonElement {
  return h(
    "button",
    { type: "button", class: "button", onclick, ...props },
    symbol === undefined ? null : icon(icons[symbol]),
    h("span", {}, text),
  );
}

export interface Option<T extends string> {
  readonly value: T;
  readonly text: string;
}

/** A labelled drop-down list. */
export class Select<T extends string> {
  readonly root: HTMLElement;
  readonly #select: HTMLSelectElement;
  #key = "";

  constructor(label: string, onchange: (value: T) => void) {
    this.#select = h("select", {
      "aria-label": label,
      onchange: () => onchange(this.#select.value as T),
    });
    this.root = h("label", { class: "select" }, h("span", {}, label), this.#select);
  }

  update(options: readonly Option<T>[], value: T): void {
    const key = options.map((option) => `${option.value}=${option.text}`).join("\n");
    if (key !== this.#key) {
      this.#key = key;
      this.#select.replaceChildren(
        ...options.map((option) => h("option", { value: option.value }, option.text)),
      );
    }
    if (this.#select.value !== value) this.#select.value = value;
  }
}

/** A row of buttons of which one is pressed. */
export class Segments<T extends string> {
  readonly root: HTMLElement;
  readonly #buttons = new Map<T, HTMLButtonElement>();

  constructor(label: string, options: readonly Option<T>[], onchange: (value: T) => void) {
    this.root = h("div", { class: "segments", role: "group", "aria-label": label });
    for (const { value, text } of options) {
      const button = h(
        "button",
        { type: "button", "aria-pressed": "false", onclick: () => onchange(value) },
        text,
      );
      this.#buttons.set(value, button);
      this.root.append(button);
    }
  }

  update(value: T): void {
    for (const [key, button] of this.#buttons)
      button.setAttribute("aria-pressed", key === value ? "true" : "false");
  }
}

export function toggle(button: HTMLButtonElement, pressed: boolean): void {
  button.setAttribute("aria-pressed", pressed ? "true" : "false");
}

/** A definition list of name and value. */
export function fieldList(
  fields: readonly { readonly name: string; readonly value: Child; readonly mono?: boolean }[],
): HTMLElement {
  const list = h("dl", { class: "fields" });
  for (const { name, value, mono } of fields)
    list.append(h("dt", {}, name), h("dd", { class: mono === true ? "mono" : "" }, value));
  return list;
}
