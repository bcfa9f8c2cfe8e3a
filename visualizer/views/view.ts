/** What a view is given and what it may ask for. */
import type { Loaded } from "../app/loaded.ts";
import type { AppState, Selection } from "../app/state.ts";
import type { Palette } from "../draw/palette.ts";

export interface Scene {
  readonly loaded: Loaded;
  readonly state: AppState;
  readonly palette: Palette;
  readonly reducedMotion: boolean;
}

export interface Actions {
  set(change: Partial<AppState>): void;
  /** Moves the cursor; `event` where the last event at `t` is not the one meant. */
  moveTo(t: number, event?: number): void;
  /** Selects, and moves the cursor to an event that is selected. */
  select(selection: Selection | null): void;
  zoom(from: number, to: number): void;
  /** Scrolls by `lanes` from where the state is, not from what was drawn last; `most` is the end. */
  scroll(lanes: number, most: number): void;
}

export interface View {
  readonly root: HTMLElement;
  update(scene: Scene): void;
  /** Where there are more lanes than room. */
  scrollLanes?(by: number): void;
  /** The picture as it stands; null for a view that is no picture. */
  svg(): string | null;
  png(): Promise<Blob | null>;
  /** The view is taken off the page. */
  close(): void;
}
