/** The side panel: what is selected, what it follows from and leads to, and the events around the cursor. */
import type { AppApi } from "../app/app-api.ts";
import { buildCone, outcomesOf } from "../model/causality.ts";
import { behind, heldCount } from "../model/convergence.ts";
import { fieldsOf, titleOf } from "../model/describe.ts";
import { formatCount, formatTime } from "../model/format.ts";
import { Kind, State, stateNames } from "../model/kinds.ts";
import { viewOf } from "../model/members.ts";
import { statusAt, statusesAt } from "../model/timeline.ts";
import { isMessage, nodeName } from "../model/trace.ts";
import { eventsOf } from "../model/trace-index.ts";
import type { Scene } from "../views/view.ts";
import { cellPanel } from "./cell-panel.ts";
import { type Child, h, replace } from "./dom.ts";
import { fieldList, iconButton, textButton } from "./widgets.ts";

const listedBefore = 6;
const listedAfter = 9;

export class Inspector {
  readonly root: HTMLElement;
  readonly #app: AppApi;
  readonly #selection = h("section", { class: "inspect-selection", "aria-label": "Selection" });
  readonly #events = h("ol", { class: "event-list", "aria-label": "Events around the cursor" });
  #key: readonly unknown[] = [];
  #listKey: readonly unknown[] = [];
  #now: HTMLElement | null = null;

  constructor(app: AppApi) {
    this.#app = app;
    new ResizeObserver(() => this.#reveal()).observe(this.#events);
    this.root = h(
      "aside",
      { class: "inspector", "aria-label": "Inspector" },
      this.#selection,
      h("section", { class: "inspect-events" }, h("h3", {}, "Around the cursor"), this.#events),
    );
  }

  update(scene: Scene): void {
    const { state, loaded } = scene;
    // A selection of an event says the same at any time; others are told as of the cursor.
    const moving = state.selection?.type === "event" ? 0 : state.event;
    const key = [loaded, state.selection, moving, state.reference, state.observer];
    if (key.some((part, i) => part !== this.#key[i])) {
      this.#key = key;
      replace(this.#selection, ...this.#describe(scene));
    }
    const listKey = [loaded, state.event, state.selection];
    if (listKey.some((part, i) => part !== this.#listKey[i])) {
      this.#listKey = listKey;
      this.#list(scene);
    }
  }

  #describe(scene: Scene): Child[] {
    const { selection } = scene.state;
    const { trace, lanes, laneOf } = scene.loaded;
    switch (selection?.type) {
      case "event":
        return selection.event < trace.count
          ? this.#event(scene, selection.event)
          : this.#overview(scene);
      case "node":
        return (laneOf[selection.n] ?? -1) < 0 || lanes.length === 0
          ? this.#overview(scene)
          : this.#node(scene, selection.n);
      case "cell":
        return selection.row < trace.rows.count
          ? [this.#head("Cell"), ...cellPanel(scene, selection, this.#app)]
          : this.#overview(scene);
      case undefined:
        return this.#overview(scene);
    }
  }

  #head(kind: string): HTMLElement {
    return h(
      "header",
      { class: "inspect-head" },
      h("span", { class: "kicker" }, kind),
      iconButton("close", "Deselect (Esc)", () => this.#app.selectHere(null)),
    );
  }

  #event(scene: Scene, event: number): Child[] {
    const { trace, index } = scene.loaded;
    const kind = trace.kind[event] as number;
    const n = trace.node[event] as number;
    const links: Child[] = [];
    const link = (text: string, to: number | undefined): void => {
      if (to === undefined || to < 0 || to >= trace.count) return;
      links.push(
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: "link",
              onclick: () => this.#app.selectHere({ type: "event", event: to }),
            },
            `${text}: ${titleOf(trace, to)}`,
          ),
          h("span", { class: "when" }, formatTime(trace.t[to] as number, 1)),
        ),
      );
    };
    if (isMessage(kind)) {
      if (kind === Kind.send)
        for (const end of outcomesOf(trace, event).slice(0, 4)) link("ends", end);
      else link("begins", trace.ref[event]);
    }
    const own = n < 0 ? new Int32Array() : eventsOf(index, n);
    const place = own.indexOf(event);
    if (place >= 0) {
      link(`before on ${nodeName(trace, n)}`, own[place - 1]);
      link(`after on ${nodeName(trace, n)}`, own[place + 1]);
    }
    const cone = n < 0 ? null : buildCone(trace, event);
    return [
      this.#head(`Event ${formatCount(event + 1)} of ${formatCount(trace.count)}`),
      h("h2", {}, titleOf(trace, event)),
      fieldList(fieldsOf(trace, event)),
      links.length === 0 ? null : h("ul", { class: "links" }, ...links),
      cone === null
        ? null
        : h(
            "p",
            { class: "cone" },
            h("span", { class: "cone-past" }, `${formatCount(cone.pastCount)} events`),
            " can have influenced it; it can have influenced ",
            h("span", { class: "cone-future" }, `${formatCount(cone.futureCount)} events`),
            ".",
          ),
      kind === Kind.commit ? this.#commitActions(trace.ref[event] as number) : null,
    ];
  }

  #commitActions(version: number): HTMLElement {
    return h(
      "div",
      { class: "actions" },
      textButton(
        "Show its spread",
        () => this.#app.set({ write: version, view: "convergence" }),
        {},
        "share",
      ),
    );
  }

  #node(scene: Scene, n: number): Child[] {
    const { loaded, state } = scene;
    const { trace, index } = loaded;
    const info = trace.nodes[n];
    const own = eventsOf(index, n);
    const lag = behind(index.heldSteps, n, state.event);
    const beliefs = viewOf(trace, own, state.event);
    const counts = new Map<string, number>();
    for (const about of loaded.lanes) {
      if (about === n) continue;
      const event = beliefs[about] as number;
      const name =
        stateNames[event < 0 ? State.unknown : (trace.label[event] as number)] ?? "unknown";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const actor = trace.actors.findLast((one) => one.node === n)?.id;
    const status = statusAt(index.timeline, n, state.t);
    return [
      this.#head("Node"),
      h("h2", {}, nodeName(trace, n)),
      fieldList([
        { name: "now", value: status === "up" ? "running" : status },
        { name: "region", value: info === undefined || info.region === "" ? "–" : info.region },
        { name: "actor", value: actor ?? "–", mono: true },
        { name: "versions held", value: formatCount(heldCount(index.heldSteps, n, state.event)) },
        { name: "versions behind", value: formatCount(lag) },
        {
          name: "holds others to be",
          value: [...counts].map(([name, count]) => `${count} ${name}`).join(", ") || "–",
        },
        { name: "events", value: formatCount(own.length) },
      ]),
      h(
        "div",
        { class: "actions" },
        textButton(
          state.observer === n ? "Look from outside again" : "Look through its eyes",
          () => this.#app.set({ observer: state.observer === n ? -1 : n }),
          {},
          "eye",
        ),
      ),
    ];
  }

  #overview({ loaded, state }: Scene): Child[] {
    const { trace, index, lanes } = loaded;
    const statuses = statusesAt(index.timeline, trace.nodes.length, state.t);
    const running = lanes.filter((n) => statuses[n] === "up");
    const lags = running.map((n) => behind(index.heldSteps, n, state.event));
    const most = lags.reduce((max, lag) => Math.max(max, lag), 0);
    const { header } = trace;
    const fields = [
      ...(header.source === "live"
        ? [{ name: "told by", value: loaded.told.map((n) => nodeName(trace, n)).join(", ") || "–" }]
        : [
            { name: "scenario", value: header.scenario ?? "–" },
            { name: "seed", value: header.seed ?? "–", mono: true },
          ]),
      { name: "nodes", value: formatCount(lanes.length) },
      { name: "events", value: formatCount(trace.count) },
      { name: "length", value: formatTime(loaded.end) },
      {
        name: "furthest behind now",
        value: most === 0 ? "nobody" : `${formatCount(most)} version${most === 1 ? "" : "s"}`,
      },
    ];
    if (loaded.traceHash !== null)
      fields.push({ name: "trace hash", value: loaded.traceHash, mono: true });
    const notes: Child[] = [];
    if (trace.problem !== null)
      notes.push(
        h(
          "p",
          { class: "note warn" },
          `The file is ${trace.problem.kind} at line ${formatCount(trace.problem.line)} (${trace.problem.why}). Everything before it is shown.`,
        ),
      );
    else if (!trace.ended && header.source === "sim")
      notes.push(h("p", { class: "note warn" }, "The trace has no end: its run was cut short."));
    for (const [kind, count] of trace.unknownKinds.slice(0, 3))
      notes.push(
        h(
          "p",
          { class: "note" },
          `${formatCount(count)} events of the unknown kind “${kind}” were passed over.`,
        ),
      );
    return [
      h("header", { class: "inspect-head" }, h("span", { class: "kicker" }, "Trace")),
      h("h2", {}, loaded.name),
      fieldList(fields),
      ...notes,
      h(
        "p",
        { class: "hint" },
        "Click a message, a mark or a node to see what it is, where it comes from and what follows from it.",
      ),
    ];
  }

  /** Where there is little room the event at the cursor, and the one after it, are in sight all the same. */
  #reveal(): void {
    const list = this.#events;
    const now = this.#now;
    if (now === null) return;
    const { offsetTop, offsetHeight } = now;
    const beyond = offsetTop - list.offsetTop + 2 * offsetHeight - list.clientHeight;
    // By whole lines: none is cut at the top.
    list.scrollTop = Math.max(0, Math.ceil(beyond / offsetHeight) * offsetHeight);
  }

  #list({ loaded, state }: Scene): void {
    const { trace } = loaded;
    const from = Math.max(0, state.event - listedBefore);
    const to = Math.min(trace.count, Math.max(state.event, 0) + listedAfter);
    const selected = state.selection?.type === "event" ? state.selection.event : -1;
    const items: HTMLElement[] = [];
    for (let event = from; event < to; event++) {
      const classes = [event > state.event ? "future" : "", event === selected ? "selected" : ""];
      items.push(
        h(
          "li",
          {
            class: classes.join(" ").trim(),
            "aria-current": event === state.event ? "time" : null,
          },
          h(
            "button",
            { type: "button", onclick: () => this.#app.selectHere({ type: "event", event }) },
            h("span", { class: "when" }, formatTime(trace.t[event] as number, 1)),
            h("span", {}, titleOf(trace, event)),
          ),
        ),
      );
    }
    this.#events.replaceChildren(...items);
    this.#now = items[state.event - from] ?? null;
    this.#reveal();
  }
}
