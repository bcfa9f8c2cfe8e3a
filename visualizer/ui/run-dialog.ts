/** Run a scenario in this page: a built-in one, changed by form or as JSON. */
import { parseScenario, parseScenarioText } from "../../sim/scenario/parse.ts";
import { buildScenario, builtIns, findBuiltIn } from "../../sim/scenarios/built-in.ts";
import type { AppApi } from "../app/app-api.ts";
import type { Source } from "../app/source.ts";
import { Dialog } from "./dialog.ts";
import { h, setText } from "./dom.ts";
import { choice, field, numberInput, row, textInput } from "./form.ts";
import { textButton } from "./widgets.ts";

/** More nodes than this run for minutes in a browser; the command line has all cores. */
const maxNodesHere = 500;

type ScenarioJson = Record<string, unknown>;

export class RunDialog extends Dialog {
  readonly #app: AppApi;
  readonly #name: HTMLSelectElement;
  readonly #seed: HTMLInputElement;
  readonly #nodes: HTMLInputElement;
  readonly #summary = h("p", { class: "lead" });
  readonly #error = h("p", { class: "note warn", role: "alert", hidden: true });
  readonly #json: HTMLTextAreaElement;
  readonly #loss: HTMLInputElement;
  readonly #latency: readonly [HTMLInputElement, HTMLInputElement];
  readonly #duration: HTMLInputElement;
  /** The JSON was touched: it is run, not the built-in name. */
  #edited = false;

  constructor(app: AppApi) {
    super("Run a scenario in this page", "run");
    this.#app = app;
    this.#name = choice(
      builtIns.map(({ name }) => [name, name] as const),
      "split-heal",
      () => this.#fill(),
    );
    this.#seed = textInput(String(1 + Math.floor(performance.now() % 997)));
    this.#nodes = numberInput(5, { min: 1, max: maxNodesHere });
    this.#duration = numberInput(60, { min: 1, step: "any" });
    this.#loss = numberInput(0, { min: 0, max: 100, step: "any" });
    this.#latency = [
      numberInput(1, { min: 0, step: "any" }),
      numberInput(5, { min: 0, step: "any" }),
    ];
    this.#json = h("textarea", { rows: 14, spellcheck: "false", "aria-label": "Scenario as JSON" });
    this.#nodes.addEventListener("change", () => this.#fill());
    for (const input of [this.#duration, this.#loss, ...this.#latency])
      input.addEventListener("change", () => this.#apply());
    this.#json.addEventListener("input", () => {
      this.#edited = true;
      this.#check();
    });
    const run = (side: "a" | "b"): void => this.#run(side);
    this.body.append(
      row(
        field("Scenario", this.#name),
        field("Seed", this.#seed, "any text"),
        field("Nodes", this.#nodes),
      ),
      this.#summary,
      row(
        field("Seconds", this.#duration),
        field("Loss, %", this.#loss),
        field("Latency from, ms", this.#latency[0]),
        field("to, ms", this.#latency[1]),
      ),
      h("details", {}, h("summary", {}, "As JSON"), this.#json),
      this.#error,
      h(
        "div",
        { class: "dialog-actions" },
        textButton("Run", () => run("a"), { class: "button primary" }, "run"),
        textButton(
          "Run beside",
          () => run("b"),
          { disabled: app.loaded === null, title: "Compare with the open trace" },
          "compare",
        ),
      ),
    );
    this.#fill();
  }

  #built(): ScenarioJson | string {
    const builtIn = findBuiltIn(this.#name.value);
    if (builtIn === null) return "unknown scenario";
    try {
      const scenario = buildScenario(
        builtIn,
        this.#nodes.value === "" ? builtIn.nodes : Number(this.#nodes.value),
      );
      return JSON.parse(JSON.stringify(scenario)) as ScenarioJson;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** From the built-in scenario into form and JSON. */
  #fill(): void {
    const builtIn = findBuiltIn(this.#name.value);
    if (builtIn === null) return;
    if (document.activeElement === this.#name || this.#json.value === "")
      this.#nodes.value = String(builtIn.nodes);
    const built = this.#built();
    this.#edited = false;
    setText(this.#summary, builtIn.summary);
    if (typeof built === "string") return this.#complain(built);
    this.#complain(null);
    this.#json.value = JSON.stringify(built, null, 2);
    const network = built["network"] as { latencyMs: { min?: number; max?: number }; loss: number };
    this.#duration.value = String((built["durationMs"] as number) / 1000);
    this.#loss.value = String(network.loss * 100);
    const uniform = network.latencyMs.min !== undefined;
    for (const [i, input] of this.#latency.entries()) {
      input.disabled = !uniform;
      input.value = uniform ? String(i === 0 ? network.latencyMs.min : network.latencyMs.max) : "";
    }
  }

  /** From the form into the JSON. */
  #apply(): void {
    const json = this.#parsed();
    if (json === null) return;
    const network = (json["network"] ?? {}) as Record<string, unknown>;
    network["loss"] = Number(this.#loss.value) / 100;
    const [min, max] = this.#latency;
    if (!min.disabled) network["latencyMs"] = { min: Number(min.value), max: Number(max.value) };
    json["network"] = network;
    json["durationMs"] = Number(this.#duration.value) * 1000;
    this.#json.value = JSON.stringify(json, null, 2);
    this.#edited = true;
    this.#check();
  }

  #parsed(): ScenarioJson | null {
    try {
      return JSON.parse(this.#json.value) as ScenarioJson;
    } catch {
      this.#check();
      return null;
    }
  }

  #check(): boolean {
    const parsed = parseScenarioText(this.#json.value, "scenario");
    this.#complain(parsed.ok ? null : parsed.error);
    return parsed.ok;
  }

  #complain(error: string | null): void {
    this.#error.hidden = error === null;
    setText(this.#error, error ?? "");
  }

  #run(side: "a" | "b"): void {
    if (!this.#check()) return;
    const seed = this.#seed.value.trim() === "" ? "1" : this.#seed.value.trim();
    this.#app.open(this.#source(seed), side);
    this.close();
  }

  /** A built-in one as it stands is named; a changed one is carried whole. */
  #source(seed: string): Source {
    const json = this.#parsed();
    if (this.#edited && json !== null && parseScenario(json, "scenario").ok)
      return { type: "run", scenario: json, seed, nodes: null };
    const builtIn = findBuiltIn(this.#name.value);
    const nodes = Number(this.#nodes.value);
    return {
      type: "run",
      scenario: this.#name.value,
      seed,
      nodes: nodes === builtIn?.nodes ? null : nodes,
    };
  }
}
