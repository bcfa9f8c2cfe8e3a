/** A live trace on the page: whether it is paused, how its connections are, and what stays chosen as it grows. */
import type { Shift } from "../model/live-window.ts";
import { grownWindow } from "./navigation.ts";
import type { Loaded } from "./loaded.ts";
import type { AppState, Selection } from "./state.ts";

interface Growth {
  readonly loaded: Loaded;
  readonly shift: Shift;
}

export class LiveControl {
  /** What is wrong with the connections, in words; null: nothing. */
  trouble: string | null = null;
  #paused = false;
  #waiting: Growth | null = null;

  get paused(): boolean {
    return this.#paused;
  }

  /** The trace has grown: what is to be shown now, null while paused. */
  arrive(loaded: Loaded, shift: Shift): Growth | null {
    const before = this.#waiting?.shift;
    const growth = {
      loaded,
      shift: {
        events: shift.events + (before?.events ?? 0),
        us: shift.us + (before?.us ?? 0),
      },
    };
    this.#waiting = this.#paused ? growth : null;
    return this.#paused ? null : growth;
  }

  /** Pauses, or goes on with what came meanwhile; and says which. */
  toggle(): { readonly growth: Growth | null; readonly text: string } {
    this.#paused = !this.#paused;
    const growth = this.#waiting;
    this.#waiting = null;
    return this.#paused
      ? { growth, text: "Paused: what happens meanwhile is shown when you go on." }
      : { growth, text: "Going on." };
  }

  reset(): void {
    this.#paused = false;
    this.#waiting = null;
    this.trouble = null;
  }
}

/** The state for a trace that has grown from `before`: who stood at its end goes along, all else stays where it was. */
export function grownState(
  state: AppState,
  before: Loaded,
  { loaded, shift }: Growth,
): Partial<AppState> {
  const { events, us } = shift;
  const window = { from: state.from - us, to: state.to - us };
  const [from, to] = grownWindow(window, before.end - us, loaded.end);
  const follows = state.t >= before.end;
  return {
    from,
    to,
    t: follows ? loaded.end : Math.max(0, state.t - us),
    event: follows ? loaded.trace.count - 1 : Math.max(-1, state.event - events),
    loop: state.loop === null ? null : [state.loop[0] - us, state.loop[1] - us],
    ...(events === 0
      ? {}
      : {
          selection: movedSelection(state.selection, before, loaded, events),
          write: movedVersion(state.write, before, loaded),
        }),
  };
}

/** The same thing in the trace that has forgotten its oldest events; null if it is forgotten too. */
function movedSelection(
  selection: Selection | null,
  before: Loaded,
  after: Loaded,
  events: number,
): Selection | null {
  switch (selection?.type) {
    case "event":
      return selection.event < events ? null : { ...selection, event: selection.event - events };
    case "cell": {
      const { rows } = before.trace;
      const table = rows.tables[rows.table[selection.row] as number];
      const column = table?.columns[selection.column];
      const now = after.trace.rows;
      const to = now.tables.findIndex(({ name }) => name === table?.name);
      const row = now.key.findIndex(
        (key, i) => key === rows.key[selection.row] && now.table[i] === to,
      );
      if (row < 0) return null;
      const at = column === undefined ? -1 : (now.tables[to]?.columns.indexOf(column) ?? -1);
      return { ...selection, row, column: at };
    }
    default:
      return selection;
  }
}

function movedVersion(version: number, before: Loaded, after: Loaded): number {
  if (version < 0) return -1;
  const { versions, actors } = before.trace;
  const number = versions.number[version];
  const id = actors[versions.actor[version] as number]?.id;
  const now = after.trace;
  const actor = now.actors.findIndex((one) => one.id === id);
  return now.versions.number.findIndex(
    (one, i) => one === number && now.versions.actor[i] === actor,
  );
}
