/** What would have happened otherwise: a fault or a write added at the cursor, and the run made again beside this one. */
import { parseScenario } from "../../sim/scenario/parse.ts";
import type { AppApi } from "../app/app-api.ts";
import { forkScenario, type ForkAddition } from "../app/fork.ts";
import type { Loaded } from "../app/loaded.ts";
import { formatTime } from "../model/format.ts";
import { nodeName } from "../model/trace.ts";
import { Dialog } from "./dialog.ts";
import { h, setText } from "./dom.ts";
import { choice, field, numberInput, row, textInput } from "./form.ts";
import { textButton } from "./widgets.ts";

const kinds = [
  ["partition", "cut the network in two"],
  ["link", "cut one link, one way"],
  ["heal", "heal the network"],
  ["crash", "crash a node"],
  ["restart", "restart a node"],
  ["pause", "pause a node"],
  ["resume", "let a paused node go on"],
  ["slow", "slow a node down"],
  ["clock", "make a clock jump"],
  ["leave", "a node leaves"],
  ["write", "write a row"],
] as const;

type Kind = (typeof kinds)[number][0];

export class ForkDialog extends Dialog {
  readonly #app: AppApi;
  readonly #loaded: Loaded;
  readonly #atMs: number;
  readonly #kind: HTMLSelectElement;
  readonly #fields = h("div", { class: "fork-fields" });
  readonly #error = h("p", { class: "note warn", role: "alert", hidden: true });
  #read: () => ForkAddition = () => ({ kind: "fault", fault: {} });

  constructor(app: AppApi, loaded: Loaded) {
    super("What if …", "fork");
    this.#app = app;
    this.#loaded = loaded;
    this.#atMs = Math.round(app.state.t) / 1000;
    this.#kind = choice(kinds, "partition", () => this.#fill());
    const { options, seed } = loaded.trace.header;
    const possible = Object.keys(options).length > 0 && seed !== null;
    const runButton = textButton(
      "Run beside",
      () => this.#run(),
      { class: "button primary", disabled: !possible },
      "fork",
    );
    this.body.append(
      possible
        ? h(
            "p",
            { class: "lead" },
            `At ${formatTime(this.#atMs * 1000)}, with the same seed: everything before is the same, everything after may differ.`,
          )
        : h(
            "p",
            { class: "note warn" },
            "Only a simulated run can be forked: this trace does not say how to repeat it.",
          ),
      field("Then", this.#kind),
      this.#fields,
      this.#error,
      h("div", { class: "dialog-actions" }, runButton),
    );
    this.#fill();
  }

  #fill(): void {
    const kind = this.#kind.value as Kind;
    const { atMs } = { atMs: this.#atMs };
    const node = this.#nodeChoice();
    const number = (): number => Number(node.value);
    switch (kind) {
      case "partition":
        this.#fillPartition();
        break;
      case "link": {
        const to = this.#nodeChoice(1);
        const seconds = numberInput(10, { min: 0.001, step: "any" });
        this.#fields.replaceChildren(
          row(field("From", node), field("To", to), field("For, s", seconds)),
        );
        this.#read = () => ({
          kind: "fault",
          fault: {
            kind,
            atMs,
            from: number(),
            to: Number(to.value),
            cut: true,
            untilMs: atMs + Number(seconds.value) * 1000,
          },
        });
        break;
      }
      case "heal":
        this.#fields.replaceChildren(
          h("p", {}, "Every partition and cut link in force is lifted."),
        );
        this.#read = () => ({ kind: "fault", fault: { kind, atMs } });
        break;
      case "crash": {
        const disk = choice(
          [
            ["kept", "kept"],
            ["torn", "torn: the last commits are gone"],
            ["lost", "lost"],
          ],
          "kept",
        );
        const back = numberInput(10, { min: 0, step: "any" });
        this.#fields.replaceChildren(
          row(field("Node", node), field("Disk", disk), field("Back after, s", back, "0: never")),
        );
        this.#read = () => ({
          kind: "fault",
          fault: { kind, atMs, node: number(), disk: disk.value },
          ending:
            Number(back.value) > 0
              ? { kind: "restart", atMs: atMs + Number(back.value) * 1000, node: number() }
              : undefined,
        });
        break;
      }
      case "pause": {
        const back = numberInput(5, { min: 0, step: "any" });
        this.#fields.replaceChildren(row(field("Node", node), field("For, s", back)));
        this.#read = () => ({
          kind: "fault",
          fault: { kind, atMs, node: number() },
          ending: {
            kind: "resume",
            atMs: atMs + Math.max(0.001, Number(back.value)) * 1000,
            node: number(),
          },
        });
        break;
      }
      case "slow":
        this.#fillOne(kind, node, "Factor", 20, "factor");
        break;
      case "clock":
        this.#fillOne(kind, node, "By, ms", 60_000, "jumpMs");
        break;
      case "write":
        this.#fillWrite(node);
        break;
      default:
        this.#fields.replaceChildren(row(field("Node", node)));
        this.#read = () => ({ kind: "fault", fault: { kind, atMs, node: number() } });
    }
  }

  #fillOne(kind: Kind, node: HTMLSelectElement, label: string, value: number, key: string): void {
    const amount = numberInput(value, { step: "any" });
    this.#fields.replaceChildren(row(field("Node", node), field(label, amount)));
    this.#read = () => ({
      kind: "fault",
      fault: { kind, atMs: this.#atMs, node: Number(node.value), [key]: Number(amount.value) },
    });
  }

  #fillPartition(): void {
    const seconds = numberInput(15, { min: 0.001, step: "any" });
    const { lanes, trace } = this.#loaded;
    const sides = new Map<number, 0 | 1>(lanes.map((n, i) => [n, i < lanes.length / 2 ? 0 : 1]));
    const chips = lanes.slice(0, 100).map((n) => {
      const chip = h("button", {
        type: "button",
        class: "chip side",
        onclick: () => {
          sides.set(n, sides.get(n) === 0 ? 1 : 0);
          label();
        },
      });
      const label = (): void => {
        const letter = sides.get(n) === 0 ? "A" : "B";
        setText(chip, `${nodeName(trace, n)} ${letter}`);
        chip.setAttribute("aria-label", `${nodeName(trace, n)}: side ${letter}`);
        chip.dataset["side"] = letter;
      };
      label();
      return chip;
    });
    this.#fields.replaceChildren(
      field("For, s", seconds),
      h("div", { class: "chips", role: "group", "aria-label": "Sides" }, ...chips),
    );
    this.#read = () => ({
      kind: "fault",
      fault: {
        kind: "partition",
        atMs: this.#atMs,
        untilMs: this.#atMs + Number(seconds.value) * 1000,
        groups: [0, 1].map((side) => lanes.filter((n) => sides.get(n) === side)),
      },
    });
  }

  #fillWrite(node: HTMLSelectElement): void {
    const { tables } = this.#loaded.trace.rows;
    const table = choice(
      (tables.length > 0 ? tables : [{ name: "kv" }]).map(({ name }) => [name, name] as const),
      tables[0]?.name ?? "kv",
    );
    const json = textInput('{"k": "forked", "v": "what if"}', { class: "mono" });
    this.#fields.replaceChildren(
      row(field("Node", node), field("Table", table)),
      field("Row, as JSON", json),
    );
    this.#read = () => ({
      kind: "write",
      node: Number(node.value),
      atMs: this.#atMs,
      table: table.value,
      row: JSON.parse(json.value) as Record<string, unknown>,
    });
  }

  #nodeChoice(at = 0): HTMLSelectElement {
    const { lanes, trace } = this.#loaded;
    const { selection } = this.#app.state;
    const first = selection?.type === "node" && at === 0 ? selection.n : (lanes[at] ?? 0);
    return choice(
      lanes.map((n) => [String(n), nodeName(trace, n)] as const),
      String(first),
    );
  }

  #run(): void {
    let addition: ForkAddition;
    try {
      addition = this.#read();
    } catch (error) {
      this.#complain(`The row is not JSON: ${(error as Error).message}`);
      return;
    }
    const { options, seed } = this.#loaded.trace.header;
    const scenario = forkScenario(options, addition);
    const parsed = parseScenario(scenario, "fork");
    if (!parsed.ok) {
      this.#complain(parsed.error);
      return;
    }
    this.#app.open({ type: "run", scenario, seed: seed ?? "1", nodes: null }, "b");
    this.close();
  }

  #complain(text: string): void {
    this.#error.hidden = false;
    setText(this.#error, text);
  }
}
