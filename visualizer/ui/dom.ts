/** Makes elements: `h("button", { class: "icon", "aria-label": "Play", onclick }, "…")`. */

export type Child = Node | string | null | undefined | false;
type Handler = (event: never) => void;
export type Props = Readonly<
  Record<string, string | number | boolean | null | undefined | Handler>
>;

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setProps(element, props);
  append(element, children);
  return element;
}

/** Attributes; `on…` functions are listeners, true is an empty attribute, false and null leave it out. */
export function setProps(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function")
      element.addEventListener(name.slice(2), value as (event: Event) => void);
    else if (value === false || value === null || value === undefined)
      element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

export function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export function replace(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Sets text only where it changed: a live region stays quiet otherwise. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const svgNamespace = "http://www.w3.org/2000/svg";

/** An icon from a path on a 20 × 20 grid, drawn in the colour of the text around it. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, "svg");
  setProps(svg, { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true", focusable: "false" });
  const shape = document.createElementNS(svgNamespace, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** On a narrow page the inspector is a sheet over the view: it comes when something is selected. */
export function isNarrow(): boolean {
  return window.innerWidth <= 820;
}
