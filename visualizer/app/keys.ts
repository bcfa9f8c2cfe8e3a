/** Every key and what it does: one table for the listener and for the help sheet. */
import { jumps } from "../ui/dock.ts";
import type { AppApi } from "./app-api.ts";
import { speeds, viewIds } from "./state.ts";
import { viewNames } from "./view-panels.ts";

export interface KeyAction {
  /** As in `KeyboardEvent.key`; letters in lower case. */
  readonly keys: readonly string[];
  /** Undefined: with or without. */
  readonly shift?: boolean;
  readonly shown: string;
  readonly text: string;
  readonly group: "time" | "views" | "trace";
  act(app: AppApi, shift: boolean): void;
}

function faster(app: AppApi, by: 1 | -1): void {
  const at = speeds.findIndex((speed) => speed === app.state.speed);
  app.set({ speed: speeds[Math.min(speeds.length - 1, Math.max(0, at + by))] ?? 1 });
}

function zoomBy(app: AppApi, factor: number): void {
  const { from, to, t } = app.state;
  const about = t >= from && t <= to ? t : (from + to) / 2;
  app.zoom(about - (about - from) * factor, about + (to - about) * factor);
}

function pan(app: AppApi, share: number): void {
  const { from, to } = app.state;
  app.zoom(from + (to - from) * share, to + (to - from) * share);
}

function nextNode(app: AppApi, by: 1 | -1): void {
  const lanes = app.loaded?.lanes ?? [];
  const { selection } = app.state;
  const at = selection?.type === "node" ? lanes.indexOf(selection.n) : by === 1 ? -1 : 0;
  const n = lanes.at((at + by + lanes.length) % Math.max(1, lanes.length));
  if (n !== undefined) app.select({ type: "node", n });
}

export const keyActions: readonly KeyAction[] = [
  {
    keys: [" "],
    shown: "Space",
    text: "play or pause",
    group: "time",
    act: (app) => app.togglePlay(),
  },
  {
    keys: ["ArrowRight"],
    shift: false,
    shown: "→",
    text: "next event",
    group: "time",
    act: (app) => app.step(1),
  },
  {
    keys: ["ArrowLeft"],
    shift: false,
    shown: "←",
    text: "event before",
    group: "time",
    act: (app) => app.step(-1),
  },
  {
    keys: ["."],
    shown: ".",
    text: "next delivery",
    group: "time",
    act: (app) => app.stepDelivery(1),
  },
  {
    keys: [","],
    shown: ",",
    text: "delivery before",
    group: "time",
    act: (app) => app.stepDelivery(-1),
  },
  {
    keys: ["ArrowRight"],
    shift: true,
    shown: "Shift →",
    text: "a quarter window on",
    group: "time",
    act: (app) => pan(app, 0.25),
  },
  {
    keys: ["ArrowLeft"],
    shift: true,
    shown: "Shift ←",
    text: "a quarter window back",
    group: "time",
    act: (app) => pan(app, -0.25),
  },
  {
    keys: ["Home"],
    shown: "Home",
    text: "to the beginning",
    group: "time",
    act: (app) => app.moveTo(0),
  },
  {
    keys: ["End"],
    shown: "End",
    text: "to the end",
    group: "time",
    act: (app) => app.moveTo(app.loaded?.end ?? 0),
  },
  ...jumps.map(
    (jump): KeyAction => ({
      keys: [jump.key],
      shown: jump.key.toUpperCase(),
      text: `next ${jump.name} (Shift: the one before)`,
      group: "time",
      act: (app, shift) => app.jump(jump.kinds, shift ? -1 : 1),
    }),
  ),
  {
    keys: ["+", "="],
    shown: "+",
    text: "zoom in about the cursor",
    group: "time",
    act: (app) => zoomBy(app, 0.5),
  },
  { keys: ["-", "_"], shown: "−", text: "zoom out", group: "time", act: (app) => zoomBy(app, 2) },
  { keys: ["0"], shown: "0", text: "show the whole run", group: "time", act: (app) => app.fit() },
  {
    keys: ["l"],
    shown: "L",
    text: "loop the window shown",
    group: "time",
    act: (app) => app.toggleLoop(),
  },
  {
    keys: ["PageDown"],
    shown: "Page ↓",
    text: "scroll the lanes down",
    group: "time",
    act: (app) => app.scrollLanes(5),
  },
  {
    keys: ["PageUp"],
    shown: "Page ↑",
    text: "scroll the lanes up",
    group: "time",
    act: (app) => app.scrollLanes(-5),
  },
  { keys: ["]"], shown: "]", text: "faster", group: "time", act: (app) => faster(app, 1) },
  { keys: ["["], shown: "[", text: "slower", group: "time", act: (app) => faster(app, -1) },
  ...viewIds.map(
    (view, i): KeyAction => ({
      keys: [String(i + 1)],
      shown: String(i + 1),
      text: viewNames[view],
      group: "views",
      act: (app) => app.set({ view }),
    }),
  ),
  {
    keys: ["b"],
    shown: "B",
    text: "a second view below, or none",
    group: "views",
    act: (app) =>
      app.set({
        split:
          app.state.split === null
            ? app.state.view === "convergence"
              ? "spacetime"
              : "convergence"
            : null,
      }),
  },
  {
    keys: ["e"],
    shown: "E",
    text: "through the eyes of the next node",
    group: "views",
    act: nextObserver,
  },
  {
    keys: ["n"],
    shown: "N",
    text: "select the next node (Shift: the one before)",
    group: "views",
    act: (app, shift) => nextNode(app, shift ? -1 : 1),
  },
  {
    keys: ["i"],
    shown: "I",
    text: "inspector",
    group: "views",
    act: (app) => app.set({ inspector: !app.state.inspector }),
  },
  {
    keys: ["Escape"],
    shown: "Esc",
    text: "deselect",
    group: "views",
    act: (app) => app.select(null),
  },
  {
    keys: ["t"],
    shown: "T",
    text: "light, dark or as the system",
    group: "views",
    act: (app) => app.nextTheme(),
  },
  {
    keys: ["o"],
    shown: "O",
    text: "open a trace, or compare with another",
    group: "trace",
    act: (app) => app.showOpen(),
  },
  { keys: ["r"], shown: "R", text: "run a scenario", group: "trace", act: (app) => app.showRun() },
  {
    keys: ["k"],
    shown: "K",
    text: "fork at the cursor",
    group: "trace",
    act: (app) => app.showFork(),
  },
  {
    keys: ["x"],
    shown: "X",
    text: "end the comparison",
    group: "trace",
    act: (app) => app.closeOther(),
  },
  {
    keys: ["g"],
    shown: "G",
    text: "pause a live trace, or go on",
    group: "trace",
    act: (app) => app.toggleLive(),
  },
  {
    keys: ["y"],
    shown: "Y",
    text: "copy a link to this view",
    group: "trace",
    act: (app) => void app.copyLink(),
  },
  {
    keys: ["p"],
    shown: "P",
    text: "save the view as a picture",
    group: "trace",
    act: (app) => void app.export("png"),
  },
  {
    keys: ["s"],
    shown: "S",
    text: "the story of a split",
    group: "trace",
    act: (app) => app.startStory(),
  },
  { keys: ["?"], shown: "?", text: "this sheet", group: "trace", act: (app) => app.showHelp() },
];

function nextObserver(app: AppApi): void {
  const lanes = app.loaded?.lanes ?? [];
  const at = lanes.indexOf(app.state.observer);
  app.set({ observer: lanes[at + 1] ?? -1 });
}

/** The action for a key press, if it is meant for the page and not for a field. */
export function actionFor(event: KeyboardEvent): KeyAction | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.target as HTMLElement | null;
  if (target !== null && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return null;
  // Space and Enter press the button that has the focus.
  if (event.key === " " && target?.tagName === "BUTTON") return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return (
    keyActions.find(
      (action) =>
        action.keys.includes(key) &&
        (action.shift === undefined || action.shift === event.shiftKey),
    ) ?? null
  );
}
