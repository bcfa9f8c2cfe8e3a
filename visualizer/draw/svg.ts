/** Records drawing as SVG text: the vector twin of a canvas, for export. */
import type { Ctx } from "./ctx.ts";

interface Style {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  lineCap: CanvasLineCap;
  lineJoin: CanvasLineJoin;
  dash: readonly number[];
  x: number;
  y: number;
  clip: string | null;
}

const initial: Style = {
  fillStyle: "#000000",
  strokeStyle: "#000000",
  lineWidth: 1,
  globalAlpha: 1,
  font: "10px sans-serif",
  textAlign: "start",
  textBaseline: "alphabetic",
  lineCap: "butt",
  lineJoin: "miter",
  dash: [],
  x: 0,
  y: 0,
  clip: null,
};

export class SvgContext implements Ctx {
  #style: Style = { ...initial };
  #saved: Style[] = [];
  #path = "";
  #parts: string[] = [];
  #definitions: string[] = [];
  #measure: (font: string, text: string) => TextMetrics;

  /** @param measure how wide a text is in a font, which only a real canvas knows. */
  constructor(measure: (font: string, text: string) => TextMetrics) {
    this.#measure = measure;
  }

  get fillStyle(): string {
    return this.#style.fillStyle;
  }
  set fillStyle(value: string | CanvasGradient | CanvasPattern) {
    this.#style.fillStyle = typeof value === "string" ? value : "#888888";
  }
  get strokeStyle(): string {
    return this.#style.strokeStyle;
  }
  set strokeStyle(value: string | CanvasGradient | CanvasPattern) {
    this.#style.strokeStyle = typeof value === "string" ? value : "#888888";
  }
  get lineWidth(): number {
    return this.#style.lineWidth;
  }
  set lineWidth(value: number) {
    this.#style.lineWidth = value;
  }
  get globalAlpha(): number {
    return this.#style.globalAlpha;
  }
  set globalAlpha(value: number) {
    this.#style.globalAlpha = value;
  }
  get font(): string {
    return this.#style.font;
  }
  set font(value: string) {
    this.#style.font = value;
  }
  get textAlign(): CanvasTextAlign {
    return this.#style.textAlign;
  }
  set textAlign(value: CanvasTextAlign) {
    this.#style.textAlign = value;
  }
  get textBaseline(): CanvasTextBaseline {
    return this.#style.textBaseline;
  }
  set textBaseline(value: CanvasTextBaseline) {
    this.#style.textBaseline = value;
  }
  get lineCap(): CanvasLineCap {
    return this.#style.lineCap;
  }
  set lineCap(value: CanvasLineCap) {
    this.#style.lineCap = value;
  }
  get lineJoin(): CanvasLineJoin {
    return this.#style.lineJoin;
  }
  set lineJoin(value: CanvasLineJoin) {
    this.#style.lineJoin = value;
  }

  save(): void {
    this.#saved.push({ ...this.#style });
  }
  restore(): void {
    this.#style = this.#saved.pop() ?? this.#style;
  }
  translate(x: number, y: number): void {
    this.#style.x += x;
    this.#style.y += y;
  }
  setLineDash(dash: Iterable<number>): void {
    this.#style.dash = [...dash];
  }

  beginPath(): void {
    this.#path = "";
  }
  moveTo(x: number, y: number): void {
    this.#path += `M${this.#point(x, y)}`;
  }
  lineTo(x: number, y: number): void {
    this.#path += `L${this.#point(x, y)}`;
  }
  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void {
    this.#path += `Q${this.#point(cx, cy)} ${this.#point(x, y)}`;
  }
  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    this.#path += `C${this.#point(ax, ay)} ${this.#point(bx, by)} ${this.#point(x, y)}`;
  }
  closePath(): void {
    this.#path += "Z";
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.#path += `M${this.#point(x, y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }
  arc(x: number, y: number, radius: number, from: number, to: number): void {
    const start = this.#point(x + radius * Math.cos(from), y + radius * Math.sin(from));
    this.#path += this.#path === "" || this.#path.endsWith("Z") ? `M${start}` : `L${start}`;
    const whole = Math.abs(to - from) >= 2 * Math.PI - 1e-9;
    // SVG draws no arc between equal points: a circle is two halves.
    const stops = whole ? [from + Math.PI, to] : [to];
    for (const angle of stops) {
      const end = this.#point(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
      const large = !whole && Math.abs(to - from) > Math.PI ? 1 : 0;
      this.#path += `A${short(radius)} ${short(radius)} 0 ${large} ${to > from ? 1 : 0} ${end}`;
    }
  }

  fill(): void {
    this.#add(`<path d="${this.#path}" fill="${escape(this.fillStyle)}"/>`);
  }
  stroke(): void {
    const { lineWidth, dash, lineCap, lineJoin } = this.#style;
    const dashes = dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : "";
    const ends = `${lineCap === "butt" ? "" : ` stroke-linecap="${lineCap}"`}${lineJoin === "miter" ? "" : ` stroke-linejoin="${lineJoin}"`}`;
    this.#add(
      `<path d="${this.#path}" fill="none" stroke="${escape(this.strokeStyle)}" stroke-width="${short(lineWidth)}"${dashes}${ends}/>`,
    );
  }
  clip(): void {
    const id = `clip${this.#definitions.length}`;
    const outer = this.#style.clip === null ? "" : ` clip-path="url(#${this.#style.clip})"`;
    this.#definitions.push(`<clipPath id="${id}"><path d="${this.#path}"${outer}/></clipPath>`);
    this.#style.clip = id;
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }
  strokeRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.rect(x, y, width, height);
    this.stroke();
  }
  fillText(text: string, x: number, y: number): void {
    const { textAlign, textBaseline, font } = this.#style;
    const anchor =
      textAlign === "center"
        ? "middle"
        : textAlign === "right" || textAlign === "end"
          ? "end"
          : "start";
    const baseline =
      textBaseline === "middle" ? "central" : textBaseline === "top" ? "hanging" : "auto";
    const [px, py] = this.#point(x, y).split(" ");
    this.#add(
      `<text x="${px}" y="${py}" text-anchor="${anchor}" dominant-baseline="${baseline}" ${fontAttributes(font)} fill="${escape(this.fillStyle)}">${escape(text)}</text>`,
    );
  }
  measureText(text: string): TextMetrics {
    return this.#measure(this.font, text);
  }

  /** The whole picture as a document. */
  document(width: number, height: number, background: string, title: string): string {
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
      `<title>${escape(title)}</title>`,
      `<defs>${this.#definitions.join("")}</defs>`,
      `<rect width="${width}" height="${height}" fill="${escape(background)}"/>`,
      ...this.#parts,
      "</svg>\n",
    ].join("\n");
  }

  #add(element: string): void {
    const { globalAlpha, clip } = this.#style;
    const attributes =
      (globalAlpha < 1 ? ` opacity="${short(globalAlpha)}"` : "") +
      (clip === null ? "" : ` clip-path="url(#${clip})"`);
    this.#parts.push(attributes === "" ? element : `<g${attributes}>${element}</g>`);
  }

  #point(x: number, y: number): string {
    return `${short(x + this.#style.x)} ${short(y + this.#style.y)}`;
  }
}

/** A canvas font ("600 12px system-ui, sans-serif") as attributes; a style would be refused under strict policies. */
function fontAttributes(font: string): string {
  const [, weight = "", size = "10", family = "sans-serif"] =
    /^(?:(\d+|bold) )?([\d.]+)px (.+)$/.exec(font) ?? [];
  return `font-size="${size}" font-family="${escape(family)}"${weight === "" ? "" : ` font-weight="${weight}"`}`;
}

function short(x: number): string {
  return String(Math.round(x * 100) / 100);
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
