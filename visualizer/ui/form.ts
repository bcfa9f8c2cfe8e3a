/** Labelled fields of the dialogs. */
import { type Child, h } from "./dom.ts";

export function field(label: string, control: HTMLElement, hint = ""): HTMLElement {
  // A list's choices would count as part of the label around it.
  control.setAttribute("aria-label", label);
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    control,
    hint === "" ? null : h("span", { class: "field-hint" }, hint),
  );
}

export function textInput(
  value: string,
  props: Readonly<Record<string, string | number>> = {},
): HTMLInputElement {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...props });
  input.value = value;
  return input;
}

export function numberInput(
  value: number | null,
  props: Readonly<Record<string, string | number>> = {},
): HTMLInputElement {
  const input = h("input", { type: "number", ...props });
  input.value = value === null ? "" : String(value);
  return input;
}

export function choice(
  options: readonly (readonly [value: string, text: string])[],
  value: string,
  onchange: (value: string) => void = () => {},
): HTMLSelectElement {
  const select = h(
    "select",
    { onchange: () => onchange(select.value) },
    ...options.map(([key, text]) => h("option", { value: key }, text)),
  );
  select.value = value;
  return select;
}

export function row(...children: readonly Child[]): HTMLElement {
  return h("div", { class: "form-row" }, ...children);
}
