/** What a person has chosen: everything that a deep link restores. */
import type { Reference } from "../model/diff.ts";

export const viewIds = ["spacetime", "cluster", "members", "convergence", "data"] as const;
export type ViewId = (typeof viewIds)[number];

export const layouts = ["ring", "map", "force"] as const;
export type Layout = (typeof layouts)[number];

export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** Playback speeds: virtual seconds a real second. The slowest show a message on its way. */
export const speeds = [1 / 512, 1 / 64, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64] as const;

/** The open trace, and the one compared with. */
export type Side = "a" | "b";

export type Selection =
  | { readonly type: "event"; readonly event: number }
  | { readonly type: "node"; readonly n: number }
  /** `column` −1: the row; `node` −1: the reference state. */
  | { readonly type: "cell"; readonly row: number; readonly column: number; readonly node: number };

export interface AppState {
  readonly view: ViewId;
  /** A second view below the first, linked with it. */
  readonly split: ViewId | null;
  /** The time cursor, microseconds. */
  readonly t: number;
  /** The last event that has happened at the cursor; −1 before the first. */
  readonly event: number;
  /** The window of time shown, microseconds. */
  readonly from: number;
  readonly to: number;
  /** Lanes of the space-time view that are scrolled out at its top; it shows less where it has no room for more. */
  readonly scroll: number;
  readonly selection: Selection | null;
  /** What is selected in the trace compared with. */
  readonly otherSelection: Selection | null;
  /** The trace whose selection the inspector tells of. */
  readonly side: Side;
  /** The node through whose eyes membership is shown; −1: nobody's, what really is. */
  readonly observer: number;
  readonly layout: Layout;
  /** Eager and lazy links of the broadcast tree are drawn. */
  readonly tree: boolean;
  /** Planes shown: swim 1, gossip 2, sync 4, summed. */
  readonly planes: number;
  readonly speed: number;
  readonly playing: boolean;
  readonly loop: readonly [number, number] | null;
  readonly reference: Reference;
  /** Table opened in the data view, by name; null: all of them. */
  readonly table: string | null;
  readonly onlyDiffering: boolean;
  /** The write whose spread is shown: version id, −1 none chosen. */
  readonly write: number;
  readonly inspector: boolean;
}

export const initialState: AppState = {
  view: "spacetime",
  split: null,
  t: 0,
  event: -1,
  from: 0,
  to: 1,
  scroll: 0,
  selection: null,
  otherSelection: null,
  side: "a",
  observer: -1,
  layout: "ring",
  tree: false,
  planes: 7,
  speed: 1,
  playing: false,
  loop: null,
  reference: "written",
  table: null,
  onlyDiffering: true,
  write: -1,
  inspector: true,
};

/** The shortest window: one microsecond, the trace's own resolution. */
export const minWindowUs = 1;

/** A window moved and cut so that it stays within the run (with a margin of 2 %) and never empties. */
export function clampWindow(from: number, to: number, end: number): readonly [number, number] {
  const margin = Math.max(1, end * 0.02);
  const length = Math.min(Math.max(to - from, minWindowUs), end + 2 * margin);
  const start = Math.min(Math.max(from, -margin), end + margin - length);
  return [start, start + length];
}
