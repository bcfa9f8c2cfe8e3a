/** Wheel, drag, pinch and click over an area whose x is time; used by every view with a time axis. */

export interface TimeArea {
  /** Microseconds at a place, and the window shown. */
  t(x: number): number;
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
}

export interface GestureHandlers {
  area(): TimeArea | null;
  zoom(from: number, to: number): void;
  click(x: number, y: number, event: PointerEvent): void;
  hover(x: number, y: number): void;
  leave(): void;
  /** A vertical drag or wheel with Alt: pixels; true if it was used. */
  scroll?(dy: number): boolean;
}

/** A press that moves less than this is a click. */
const clickPx = 4;
const zoomPerPixel = 0.0022;

export function attachGestures(element: HTMLElement, handlers: GestureHandlers): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let start: { x: number; y: number; from: number; to: number; moved: boolean } | null = null;
  let pinch: { span: number; t: number; from: number; to: number } | null = null;

  const place = (event: { clientX: number; clientY: number }): { x: number; y: number } => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  element.addEventListener(
    "wheel",
    (event) => {
      const area = handlers.area();
      if (area === null) return;
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : 1;
      if (event.altKey && handlers.scroll?.(event.deltaY * unit) === true) return;
      const across = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (across || event.shiftKey) pan(area, (across ? event.deltaX : event.deltaY) * unit);
      else zoomAbout(area, place(event).x, Math.exp(event.deltaY * unit * zoomPerPixel));
    },
    { passive: false },
  );

  const pan = (area: TimeArea, px: number): void => {
    const by = (px * (area.to - area.from)) / (area.right - area.left);
    handlers.zoom(area.from + by, area.to + by);
  };
  const zoomAbout = (area: TimeArea, x: number, factor: number): void => {
    const t = area.t(Math.min(area.right, Math.max(area.left, x)));
    handlers.zoom(t - (t - area.from) * factor, t + (area.to - t) * factor);
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const area = handlers.area();
    if (area === null) return;
    element.setPointerCapture(event.pointerId);
    const at = place(event);
    pointers.set(event.pointerId, at);
    start = { ...at, from: area.from, to: area.to, moved: false };
    const two = [...pointers.values()];
    const [a, b] = two;
    if (a !== undefined && b !== undefined && two.length === 2)
      pinch = {
        span: Math.max(10, Math.abs(a.x - b.x)),
        t: area.t((a.x + b.x) / 2),
        from: area.from,
        to: area.to,
      };
  });

  element.addEventListener("pointermove", (event) => {
    const at = place(event);
    const area = handlers.area();
    if (area === null) return;
    const before = pointers.get(event.pointerId);
    if (before === undefined || start === null) {
      handlers.hover(at.x, at.y);
      return;
    }
    pointers.set(event.pointerId, at);
    const [a, b] = [...pointers.values()];
    if (pinch !== null && a !== undefined && b !== undefined) {
      const factor = pinch.span / Math.max(10, Math.abs(a.x - b.x));
      const length = (pinch.to - pinch.from) * factor;
      const share = ((a.x + b.x) / 2 - area.left) / (area.right - area.left);
      start.moved = true;
      handlers.zoom(pinch.t - length * share, pinch.t + length * (1 - share));
      return;
    }
    if (!start.moved && Math.hypot(at.x - start.x, at.y - start.y) < clickPx) return;
    start.moved = true;
    handlers.scroll?.(before.y - at.y);
    const by = ((start.x - at.x) * (start.to - start.from)) / (area.right - area.left);
    handlers.zoom(start.from + by, start.to + by);
  });

  const end = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) return;
    if (pinch !== null) {
      // The finger that stays must not jump: it starts a new drag.
      if (pointers.size === 0) pinch = null;
      if (start !== null) start.moved = true;
    } else if (start !== null && !start.moved && event.type === "pointerup") {
      const at = place(event);
      handlers.click(at.x, at.y, event);
    }
    if (pointers.size === 0) start = null;
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
  element.addEventListener("pointerleave", () => {
    if (pointers.size === 0) handlers.leave();
  });
  element.addEventListener("dblclick", (event) => {
    const area = handlers.area();
    if (area !== null) zoomAbout(area, place(event).x, 0.25);
  });
}
