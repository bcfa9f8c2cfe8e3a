/** What a plot shows, apart from how it is drawn. */
import type { Shape } from "./palette.ts";

export interface Figure {
  readonly title: string;
  readonly subtitle: string;
  /** Panels beside one another. */
  readonly columns: number;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Straight lines across, such as a goal. */
  readonly limits?: readonly Limit[];
}

export interface Axis {
  readonly label: string;
  /** `band`: one place for each of `categories`. */
  readonly scale: "linear" | "log" | "band";
  readonly categories?: readonly string[];
  /** Where the numbers stand; chosen when left out. */
  readonly ticks?: readonly number[];
  /** The least and the greatest value; from the data when left out. */
  readonly domain?: readonly [number, number];
  readonly format?: (value: number) => string;
}

export interface Series {
  /** As in the legend; series of one name share their look in all panels. */
  readonly name: string;
  readonly colour: string;
  /** `line`: marks joined by a line; `dots`: marks alone; `bars`; `curve`: a line alone, such as a distribution. */
  readonly kind: "line" | "dots" | "bars" | "curve";
  readonly shape?: Shape;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number | string;
  readonly y: number;
  /** Of the confidence interval. */
  readonly low?: number;
  readonly high?: number;
  /** Single runs far from the others. */
  readonly outliers?: readonly number[];
}

export interface Limit {
  readonly axis: "x" | "y";
  readonly at: number;
  readonly label: string;
  /** At which end of a line across the label stands: where there are no marks. At the right one when left out. */
  readonly labelAt?: "left" | "right";
}
