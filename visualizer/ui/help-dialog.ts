/** The sheet behind "?": every key, and every sign with its meaning. */
import { type KeyAction, keyActions } from "../app/keys.ts";
import type { Ctx } from "../draw/ctx.ts";
import { type Palette, planeDash } from "../draw/palette.ts";
import { circle, cross, diamond, hatch, stateGlyph, triangle } from "../draw/shapes.ts";
import { planeNames, stateNames } from "../model/kinds.ts";
import { Dialog } from "./dialog.ts";
import { h } from "./dom.ts";

const groups: readonly (readonly [KeyAction["group"], string])[] = [
  ["time", "Time"],
  ["views", "Views"],
  ["trace", "Trace"],
];

export class HelpDialog extends Dialog {
  constructor(palette: Palette) {
    super("Keys and signs", "help");
    this.body.append(
      h(
        "div",
        { class: "help-columns" },
        ...groups.map(([group, title]) =>
          h(
            "section",
            {},
            h("h3", {}, title),
            h(
              "dl",
              { class: "keys" },
              ...keyActions
                .filter((action) => action.group === group)
                .flatMap((action) => [
                  h("dt", {}, h("kbd", {}, action.shown)),
                  h("dd", {}, action.text),
                ]),
            ),
          ),
        ),
        h("section", {}, h("h3", {}, "Signs"), h("dl", { class: "signs" }, ...signs(palette))),
      ),
      h(
        "p",
        { class: "hint" },
        "In the views: wheel zooms time about the pointer, dragging moves it, Shift and wheel moves it too, Alt and wheel scrolls lanes, a click selects, two fingers zoom.",
      ),
    );
  }
}

function signs(palette: Palette): HTMLElement[] {
  const list: [string, (ctx: Ctx) => void][] = [
    ...planeNames.map((name): [string, (ctx: Ctx) => void] => [
      `${name} message`,
      (ctx) => line(ctx, palette.planes[name], 2, planeDash[name]),
    ]),
    ["message lost", (ctx) => stroke(ctx, palette.drop, () => cross(ctx, 20, 10, 4))],
    ["commit", (ctx) => fill(ctx, palette.commit, () => diamond(ctx, 20, 10, 6))],
    ["applied, by gossip", (ctx) => fill(ctx, palette.planes.gossip, () => circle(ctx, 20, 10, 4))],
    ["applied, by sync", (ctx) => fill(ctx, palette.planes.sync, () => ctx.rect(16, 6, 8, 8))],
    ["invariant broken", (ctx) => fill(ctx, palette.drop, () => triangle(ctx, 20, 11, 8))],
    ["eager link of the broadcast tree", (ctx) => line(ctx, palette.planes.gossip, 2, [])],
    ["lazy link", (ctx) => line(ctx, palette.soft, 1, [1.5, 4])],
    [
      "the network is cut",
      (ctx) => {
        ctx.globalAlpha = 0.28;
        fill(ctx, palette.fault, () => ctx.rect(4, 3, 32, 14));
      },
    ],
    ["node crashed", (ctx) => hatch(ctx, 4, 3, 32, 14, palette.drop, 1)],
    ["node paused", (ctx) => hatch(ctx, 4, 3, 32, 14, palette.states.suspect, -1)],
    ...stateNames.map((name): [string, (ctx: Ctx) => void] => [
      name === "unknown" ? "not heard of yet" : `held to be ${name}`,
      (ctx) => stateGlyph(ctx, name, 20, 10, 6, palette),
    ]),
  ];
  const differences: [string, string, string][] = [
    ["∅", "missing", "a row that the node lacks"],
    ["≠", "differs", "a row that it has otherwise"],
    ["+", "extra", "a row that is deleted elsewhere"],
  ];
  const pictures = list.flatMap(([text, draw]) => {
    const canvas = h("canvas", { width: 80, height: 40, class: "sign", "aria-hidden": "true" });
    const ctx = canvas.getContext("2d");
    ctx?.scale(2, 2);
    if (ctx !== null) draw(ctx);
    return [h("dt", {}, canvas), h("dd", {}, text)];
  });
  return [
    ...pictures,
    ...differences.flatMap(([sign, name, text]) => [
      h("dt", {}, h("span", { class: `sign-cell ${name}`, "aria-hidden": "true" }, sign)),
      h("dd", {}, text),
    ]),
  ];
}

function line(ctx: Ctx, colour: string, width: number, dash: readonly number[]): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash([...dash]);
  ctx.beginPath();
  ctx.moveTo(4, 10);
  ctx.lineTo(36, 10);
  ctx.stroke();
  ctx.setLineDash([]);
}

function fill(ctx: Ctx, colour: string, path: () => void): void {
  ctx.fillStyle = colour;
  ctx.beginPath();
  path();
  ctx.fill();
}

function stroke(ctx: Ctx, colour: string, path: () => void): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.beginPath();
  path();
  ctx.stroke();
}
