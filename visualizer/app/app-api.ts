/** What parts of the page may ask of the whole. */
import type { MarkKind } from "../model/marks.ts";
import type { RunSummary } from "../worker/protocol.ts";
import type { Actions } from "../views/view.ts";
import type { LiveControl } from "./live-control.ts";
import type { Loaded } from "./loaded.ts";
import type { Source } from "./source.ts";
import type { AppState, Selection, Side, Theme } from "./state.ts";

export interface AppApi extends Actions {
  readonly state: AppState;
  readonly loaded: Loaded | null;
  /** The trace compared with. */
  readonly other: Loaded | null;
  readonly live: LiveControl;
  readonly run: RunSummary | null;
  readonly theme: Theme;
  /** What views of that side may do: their events are those of their own trace. */
  actionsOf(side: Side): Actions;
  /** Selects in the trace that the inspector tells of. */
  selectHere(selection: Selection | null): void;
  open(source: Source, side?: Side, token?: string): void;
  /** Pauses a live trace, or goes on. */
  toggleLive(): void;
  openFile(file: File, side?: Side): void;
  closeOther(): void;
  /** By events: 1 to the next, −1 back. */
  step(by: 1 | -1): void;
  /** To the next receive, or back. */
  stepDelivery(by: 1 | -1): void;
  jump(kinds: readonly MarkKind[], direction?: 1 | -1): void;
  scrollLanes(by: number): void;
  togglePlay(): void;
  toggleLoop(): void;
  fit(): void;
  nextTheme(): void;
  copyLink(): Promise<void>;
  export(kind: "png" | "svg" | "scenario" | "perfetto"): Promise<void>;
  showOpen(): void;
  showRun(): void;
  showFork(): void;
  showHelp(): void;
  startStory(): void;
  /** A line that goes away by itself, read out by screen readers. */
  say(text: string): void;
}
