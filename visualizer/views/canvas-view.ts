/**
 * A view made of two canvases: a base that is drawn again only when what it shows has changed, and
 * an overlay with cursor and hover that is drawn every time.
 */
import type { Ctx, Size } from "../draw/ctx.ts";
import { SvgContext } from "../draw/svg.ts";
import { h } from "../ui/dom.ts";
import type { Actions, Scene, View } from "./view.ts";

/** Canvases are not made finer than this; past it nothing is seen but time is spent. */
const maxPixelRatio = 2;

export abstract class CanvasView implements View {
  readonly root: HTMLElement;
  protected readonly actions: Actions;
  protected scene: Scene | null = null;
  protected size: Size = { width: 0, height: 0 };
  readonly #base: HTMLCanvasElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #tip: HTMLElement;
  readonly #observer: ResizeObserver;
  #drawnKey: readonly unknown[] = [];
  #frame = 0;

  constructor(actions: Actions, name: string, label: string) {
    this.actions = actions;
    this.#base = h("canvas", { class: "layer" });
    this.#overlay = h("canvas", { class: "layer" });
    this.#tip = h("div", { class: "tip", role: "presentation", hidden: true });
    this.root = h(
      "div",
      { class: `view canvas-view view-${name}`, role: "group", tabindex: 0, "aria-label": label },
      this.#base,
      this.#overlay,
      this.#tip,
    );
    this.#observer = new ResizeObserver(() => {
      this.#measure();
      this.draw();
    });
    this.#observer.observe(this.root);
  }

  /** What the base shows depends on: it is drawn again when one of these is another. */
  protected abstract baseKey(scene: Scene): readonly unknown[];
  protected abstract drawBase(ctx: Ctx, size: Size, scene: Scene): void;
  protected abstract drawOverlay(ctx: Ctx, size: Size, scene: Scene): void;

  update(scene: Scene): void {
    this.scene = scene;
    if (this.size.width === 0) this.#measure();
    this.draw();
  }

  /** Draws in the next frame; for changes of the view's own, such as hovering. */
  protected drawSoon(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  }

  protected draw(): void {
    const { scene, size } = this;
    if (scene === null || size.width < 2 || size.height < 2) return;
    const key = [...this.baseKey(scene), scene.palette, size.width, size.height];
    const same =
      key.length === this.#drawnKey.length && key.every((part, i) => part === this.#drawnKey[i]);
    if (!same) {
      const start = performance.now();
      this.#paint(this.#base, (ctx) => this.drawBase(ctx, size, scene));
      this.#drawnKey = key;
      // Read by the tests of the drawing speed.
      this.root.dataset["drawMs"] = (performance.now() - start).toFixed(2);
    }
    this.#paint(this.#overlay, (ctx) => this.drawOverlay(ctx, size, scene));
  }

  /** Draws the base again whatever its key says. */
  protected invalidate(): void {
    this.#drawnKey = [];
    this.drawSoon();
  }

  #paint(canvas: HTMLCanvasElement, paint: (ctx: CanvasRenderingContext2D) => void): void {
    const ctx = canvas.getContext("2d");
    if (ctx === null) return;
    const ratio = Math.min(maxPixelRatio, window.devicePixelRatio || 1);
    const width = Math.round(this.size.width * ratio);
    const height = Math.round(this.size.height * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.size.width, this.size.height);
    ctx.save();
    paint(ctx);
    ctx.restore();
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.root;
    this.size = { width: clientWidth, height: clientHeight };
  }

  svg(): string | null {
    const { scene, size } = this;
    if (scene === null) return null;
    const probe = document.createElement("canvas").getContext("2d");
    if (probe === null) return null;
    const context = new SvgContext((font, text) => {
      probe.font = font;
      return probe.measureText(text);
    });
    this.drawBase(context, size, scene);
    this.drawOverlay(context, size, scene);
    const title = this.root.getAttribute("aria-label") ?? "Patina";
    return context.document(size.width, size.height, scene.palette.panel, title);
  }

  async png(): Promise<Blob | null> {
    const { scene } = this;
    if (scene === null) return null;
    const canvas = document.createElement("canvas");
    canvas.width = this.#base.width;
    canvas.height = this.#base.height;
    const ctx = canvas.getContext("2d");
    if (ctx === null) return null;
    ctx.fillStyle = scene.palette.panel;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.drawImage(this.#base, 0, 0);
    ctx.drawImage(this.#overlay, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** Shows a note beside (x, y), or none. */
  protected tip(x: number, y: number, lines: readonly string[] | null): void {
    const tip = this.#tip;
    if (lines === null) {
      tip.hidden = true;
      return;
    }
    tip.replaceChildren(
      ...lines.map((line, i) => h("div", { class: i === 0 ? "tip-title" : "" }, line)),
    );
    tip.hidden = false;
    const { width, height } = this.size;
    const left = x + 14 + tip.offsetWidth > width ? x - 14 - tip.offsetWidth : x + 14;
    const top = Math.min(height - tip.offsetHeight - 4, y + 14);
    tip.style.setProperty("left", `${Math.max(4, left)}px`);
    tip.style.setProperty("top", `${Math.max(4, top)}px`);
  }

  close(): void {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.scene = null;
    this.root.remove();
  }
}
