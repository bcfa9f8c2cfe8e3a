/** The foot of the page: transport buttons, jumps, speed, and the minimap. */
import type { AppApi } from "../app/app-api.ts";
import { speeds } from "../app/state.ts";
import { formatTime } from "../model/format.ts";
import type { MarkKind } from "../model/marks.ts";
import { nextMark } from "../model/marks.ts";
import type { Scene } from "../views/view.ts";
import { h, icon, setText } from "./dom.ts";
import { type IconName, icons } from "./icons.ts";
import { Minimap } from "./minimap.ts";
import { iconButton, Select, toggle } from "./widgets.ts";

interface Jump {
  readonly kinds: readonly MarkKind[];
  readonly name: string;
  readonly icon: IconName;
  readonly key: string;
}

export const jumps: readonly Jump[] = [
  { kinds: ["fault", "heal", "node"], name: "fault", icon: "fault", key: "f" },
  { kinds: ["divergence"], name: "divergence", icon: "apart", key: "d" },
  { kinds: ["convergence"], name: "convergence", icon: "together", key: "c" },
  { kinds: ["violation"], name: "violation", icon: "violation", key: "v" },
];

export function speedText(speed: number): string {
  return speed >= 1 ? `${speed}×` : `1/${1 / speed}×`;
}

export class Dock {
  readonly root: HTMLElement;
  readonly minimap: Minimap;
  readonly #play: HTMLButtonElement;
  readonly #loop: HTMLButtonElement;
  readonly #time: HTMLElement;
  readonly #window: HTMLElement;
  readonly #speed: Select<string>;
  readonly #jumps: readonly (readonly [Jump, HTMLButtonElement])[];

  constructor(app: AppApi) {
    this.minimap = new Minimap(app);
    this.#play = iconButton("play", "Play (space)", () => app.togglePlay(), {
      class: "icon-button play",
    });
    this.#loop = iconButton("loop", "Loop the window shown (L)", () => app.toggleLoop());
    this.#time = h("output", { class: "time", "aria-label": "Time of the cursor" });
    this.#window = h("span", { class: "window-length" });
    this.#speed = new Select("Speed", (value) => app.set({ speed: Number(value) }));
    this.#jumps = jumps.map((jump) => [jump, jumpButton(app, jump)] as const);
    this.root = h(
      "footer",
      { class: "dock", "aria-label": "Time" },
      h(
        "div",
        { class: "transport" },
        h(
          "div",
          { class: "group" },
          iconButton("toStart", "To the beginning (Home)", () => app.moveTo(0)),
          iconButton("back", "One event back (←)", () => app.step(-1)),
          this.#play,
          iconButton("forward", "Next event (→)", () => app.step(1)),
          iconButton("delivery", "Next delivery (.)", () => app.stepDelivery(1), {
            class: "icon-button hide-narrow",
          }),
        ),
        this.#time,
        this.#speed.root,
        this.#loop,
        h(
          "div",
          { class: "group jumps", role: "group", "aria-label": "Jump to the next" },
          h("span", { class: "group-label" }, "Next"),
          ...this.#jumps.map(([, button]) => button),
        ),
        h("span", { class: "spacer" }),
        this.#window,
        iconButton("fit", "Show the whole run (0)", () => app.fit()),
      ),
      this.minimap.root,
    );
    this.#speed.update(
      speeds.map((speed) => ({ value: String(speed), text: speedText(speed) })),
      "1",
    );
  }

  update(scene: Scene): void {
    const { state, loaded } = scene;
    setText(this.#time, formatTime(state.t, state.to - state.from < 50_000 ? 1 : 1000));
    setText(
      this.#window,
      `showing ${formatTime(state.to - state.from, state.to - state.from < 10_000 ? 1 : 1000)}`,
    );
    this.#play.replaceChildren(icon(icons[state.playing ? "pause" : "play"]));
    const label = state.playing ? "Pause (space)" : "Play (space)";
    this.#play.setAttribute("aria-label", label);
    this.#play.title = label;
    this.#speed.update(
      speeds.map((speed) => ({ value: String(speed), text: speedText(speed) })),
      String(state.speed),
    );
    toggle(this.#loop, state.loop !== null);
    for (const [{ kinds }, button] of this.#jumps) {
      const any =
        nextMark(loaded.index.marks, kinds, state.t) ??
        nextMark(loaded.index.marks, kinds, state.t, -1);
      button.disabled = any === null;
    }
    this.minimap.update(scene);
  }
}

function jumpButton(app: AppApi, jump: Jump): HTMLButtonElement {
  const label = `Next ${jump.name} (${jump.key.toUpperCase()}; with Shift back)`;
  return h(
    "button",
    {
      type: "button",
      class: "jump",
      title: label,
      "aria-label": label,
      onclick: (event: MouseEvent) => app.jump(jump.kinds, event.shiftKey ? -1 : 1),
    },
    icon(icons[jump.icon]),
    h("span", {}, jump.name),
  );
}
