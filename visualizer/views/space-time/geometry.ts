/** Where times and lanes lie on the canvas. */
import type { Loaded } from "../../app/loaded.ts";
import type { AppState } from "../../app/state.ts";
import type { Size } from "../../draw/ctx.ts";

export const axisHeight = 26;
const minLaneHeight = 14;
const maxLaneHeight = 150;
const bottomPad = 6;

export class Geometry {
  readonly left: number;
  readonly right: number;
  readonly top = axisHeight;
  readonly bottom: number;
  readonly laneHeight: number;
  readonly lanes: number;
  /** How far the lanes can be scrolled, pixels. */
  readonly maxScroll: number;
  readonly scroll: number;
  readonly from: number;
  readonly to: number;
  readonly #laneOf: Int32Array;

  constructor(loaded: Loaded, state: AppState, size: Size, gutter: number) {
    this.left = gutter;
    this.right = Math.max(gutter + 10, size.width - 8);
    this.bottom = size.height - bottomPad;
    this.lanes = loaded.lanes.length;
    const room = this.bottom - this.top;
    this.laneHeight = Math.max(
      minLaneHeight,
      Math.min(maxLaneHeight, room / Math.max(1, this.lanes)),
    );
    this.maxScroll = Math.max(0, this.lanes * this.laneHeight - room);
    this.scroll = Math.min(this.maxScroll, Math.max(0, state.scroll * this.laneHeight));
    this.from = state.from;
    this.to = state.to;
    this.#laneOf = loaded.laneOf;
  }

  x(t: number): number {
    return this.left + ((t - this.from) / (this.to - this.from)) * (this.right - this.left);
  }

  t(x: number): number {
    return this.from + ((x - this.left) / (this.right - this.left)) * (this.to - this.from);
  }

  /** The middle of a node's lane. */
  y(n: number): number {
    return this.laneY(this.#laneOf[n] ?? 0);
  }

  laneY(lane: number): number {
    return this.top + (lane + 0.5) * this.laneHeight - this.scroll;
  }

  /** The lane at a height, cut to those that are there. */
  laneAt(y: number): number {
    const lane = Math.floor((y - this.top + this.scroll) / this.laneHeight);
    return Math.min(this.lanes - 1, Math.max(0, lane));
  }

  /** First and last lane that can be seen. */
  get visibleLanes(): readonly [number, number] {
    return [this.laneAt(this.top), this.laneAt(this.bottom)];
  }

  /** Microseconds that one pixel covers. */
  get resolution(): number {
    return (this.to - this.from) / (this.right - this.left);
  }
}
