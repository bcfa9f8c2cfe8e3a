/** The page: holds the open traces and the state, and draws everything once a frame when something changed. */
import { type Mark, type MarkKind, nextMark } from "../model/marks.ts";
import type { Shift } from "../model/live-window.ts";
import { lastAt } from "../model/trace.ts";
import { Dock } from "../ui/dock.ts";
import { h, isNarrow } from "../ui/dom.ts";
import { dialogOpen } from "../ui/dialog.ts";
import { Inspector } from "../ui/inspector.ts";
import { LoadingCard } from "../ui/loading-card.ts";
import { ForkDialog } from "../ui/fork-dialog.ts";
import { HelpDialog } from "../ui/help-dialog.ts";
import { OpenDialog } from "../ui/open-dialog.ts";
import { RunDialog } from "../ui/run-dialog.ts";
import { CompareBar } from "../ui/compare-bar.ts";
import { Story } from "../ui/story.ts";
import { ThemeSwitch } from "../ui/theme.ts";
import { Toast } from "../ui/toast.ts";
import { TokenDialog } from "../ui/token-dialog.ts";
import { Topbar } from "../ui/topbar.ts";
import { ViewBar } from "../ui/view-bar.ts";
import { Welcome } from "../ui/welcome.ts";
import type { Actions, Scene } from "../views/view.ts";
import type { RunSummary } from "../worker/protocol.ts";
import type { AppApi } from "./app-api.ts";
import { Address } from "./address.ts";
import { parseLink } from "./deep-link.ts";
import { exportView } from "./export.ts";
import { actionFor } from "./keys.ts";
import type { Loaded } from "./loaded.ts";
import { grownState, LiveControl } from "./live-control.ts";
import { freshState, nextDelivery, openingTime, wholeWindow } from "./navigation.ts";
import { advance, windowFor } from "./playback.ts";
import { type Arrival, Sources } from "./sources.ts";
import type { Source } from "./source.ts";
import {
  type AppState,
  clampWindow,
  initialState,
  type Selection,
  type Side,
  type Theme,
} from "./state.ts";
import { Store } from "./store.ts";
import { sideState, ViewPanels } from "./view-panels.ts";

/** Between two pictures while playing with reduced motion. */
const stepMs = 400;

export class App implements AppApi {
  readonly root: HTMLElement;
  readonly live = new LiveControl();
  readonly #store = new Store<AppState>(initialState);
  readonly #theme: ThemeSwitch;
  readonly #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  readonly #topbar: Topbar;
  readonly #viewBar: ViewBar;
  readonly #compare: CompareBar;
  readonly #panels: ViewPanels;
  readonly #inspector: Inspector;
  readonly #dock: Dock;
  readonly #welcome: Welcome;
  readonly #loading: LoadingCard;
  readonly #story: Story;
  readonly #toast = new Toast();
  readonly #sources: Sources;
  #a: Loaded | null = null;
  #b: Loaded | null = null;
  /** What was compared with when another trace was asked for: it goes when that one comes. */
  #leaving: Loaded | null = null;
  #run: RunSummary | null = null;
  /** State that a link brought, to be put on once its trace is there. */
  #pending: Partial<AppState> | null = null;
  #frame = 0;
  #lastFrame = 0;
  readonly #address = new Address(this);

  constructor() {
    this.#theme = new ThemeSwitch(() => this.#invalidate());
    this.#sources = new Sources({
      onLoading: (side, share, text) => this.#loading.show(side, share, text),
      onLoaded: (side, loaded, arrival) => this.#loaded(side, loaded, arrival),
      onLink: (side, trouble) => this.#linked(side, trouble),
      onFailure: (why, side, locked) => this.#failed(why, side, locked),
    });
    this.#topbar = new Topbar(this);
    this.#viewBar = new ViewBar(this);
    this.#compare = new CompareBar(this);
    this.#panels = new ViewPanels(this);
    this.#inspector = new Inspector(this);
    this.#dock = new Dock(this);
    this.#welcome = new Welcome(this);
    this.#loading = new LoadingCard(() => this.#sources.cancel());
    this.#story = new Story(this);
    this.root = h(
      "div",
      { class: "app" },
      h("a", { class: "skip", href: "#views" }, "Skip to the view"),
      this.#topbar.root,
      this.#welcome.root,
      h(
        "div",
        { class: "work" },
        this.#viewBar.root,
        this.#compare.root,
        h("div", { class: "stage" }, this.#panels.root, this.#inspector.root),
        this.#dock.root,
      ),
      this.#loading.root,
      this.#story.root,
      this.#toast.root,
    );
    this.#store.listen(() => this.#invalidate());
    this.#reducedMotion.addEventListener("change", () => this.#invalidate());
    document.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("hashchange", () => void this.openLink());
    if (isNarrow()) this.set({ inspector: false });
    this.#invalidate();
  }

  get state(): AppState {
    return this.#store.state;
  }
  get loaded(): Loaded | null {
    return this.#a;
  }
  get other(): Loaded | null {
    return this.#b;
  }
  get run(): RunSummary | null {
    return this.#run;
  }
  get theme(): Theme {
    return this.#theme.theme;
  }

  /** Opens what the address names; false if it names nothing. */
  async openLink(): Promise<boolean> {
    const link = await parseLink(location.search, location.hash);
    if (this.#address.isOwn(location.hash)) return this.#a !== null;
    this.#pending = link.state;
    if (link.other !== null) this.open(link.other, "b");
    if (link.source === null) {
      if (this.#a !== null) this.#applyPending();
      return false;
    }
    if (link.source.type === "file") {
      this.say(`This link is about the file ${link.source.name}: drop it here.`);
      return false;
    }
    if (this.#a !== null && JSON.stringify(this.#a.source) === JSON.stringify(link.source))
      this.#applyPending();
    else this.open(link.source);
    return true;
  }

  open(source: Source, side: Side = "a", token?: string): void {
    if (side === "a") this.#leaving = this.#b;
    this.#sources.open(source, side, token ?? null);
  }

  openFile(file: File, side: Side = "a"): void {
    if (side === "a") this.#leaving = this.#b;
    this.#sources.openFile(file, side);
  }

  closeOther(): void {
    if (this.#b === null) return;
    this.#sources.cancel("b");
    this.#b = null;
    this.set({ otherSelection: null, side: "a" });
    this.#invalidate();
  }

  set(change: Partial<AppState>): void {
    this.#store.set(change);
  }

  moveTo(t: number, event?: number): void {
    const loaded = this.#a;
    if (loaded === null) return;
    const at = Math.min(loaded.end, Math.max(0, t));
    this.set({ t: at, event: event ?? lastAt(loaded.trace, at) });
  }

  select(selection: Selection | null): void {
    this.#select("a", selection);
  }

  selectHere(selection: Selection | null): void {
    this.#select(this.#b === null ? "a" : this.state.side, selection);
  }

  actionsOf(side: Side): Actions {
    if (side === "a") return this;
    return {
      set: (change) => this.set(change),
      moveTo: (t) => this.moveTo(t),
      select: (selection) => this.#select("b", selection),
      zoom: (from, to) => this.zoom(from, to),
      scroll: (lanes, most) => this.scroll(lanes, most),
    };
  }

  #select(side: Side, selection: Selection | null): void {
    if (selection !== null && isNarrow()) this.set({ inspector: true });
    this.set(side === "a" ? { selection, side } : { otherSelection: selection, side });
    const trace = (side === "a" ? this.#a : this.#b)?.trace;
    if (selection?.type !== "event" || trace === undefined || selection.event >= trace.count)
      return;
    const t = trace.t[selection.event] as number;
    this.moveTo(t, side === "a" ? selection.event : undefined);
    this.#show(t);
  }

  zoom(from: number, to: number): void {
    const [start, end] = clampWindow(from, to, this.#a?.end ?? 1);
    this.set({ from: start, to: end });
  }

  scroll(lanes: number, most: number): void {
    const from = Math.min(most, Math.max(0, this.state.scroll));
    this.set({ scroll: Math.min(most, Math.max(0, from + lanes)) });
  }

  step(by: 1 | -1): void {
    const { trace } = this.#a ?? {};
    if (trace === undefined || trace.count === 0) return;
    const event = Math.min(trace.count - 1, Math.max(0, this.state.event + by));
    this.select({ type: "event", event });
  }

  stepDelivery(by: 1 | -1): void {
    const { trace } = this.#a ?? {};
    if (trace === undefined) return;
    const event = nextDelivery(trace, this.state.event, by);
    if (event >= 0) this.select({ type: "event", event });
  }

  jump(kinds: readonly MarkKind[], direction: 1 | -1 = 1): void {
    const loaded = this.#a;
    if (loaded === null) return;
    const mark: Mark | null = nextMark(loaded.index.marks, kinds, this.state.t, direction);
    if (mark === null) {
      this.say(direction === 1 ? "None after the cursor." : "None before the cursor.");
      return;
    }
    if (mark.event >= 0) this.select({ type: "event", event: mark.event });
    else {
      this.moveTo(mark.t);
      this.#show(mark.t);
    }
    this.say(mark.text);
  }

  scrollLanes(by: number): void {
    this.#panels.first?.scrollLanes?.(by);
  }

  togglePlay(): void {
    const loaded = this.#a;
    if (loaded === null) return;
    if (!this.state.playing && this.state.t >= loaded.end && this.state.loop === null)
      this.moveTo(0);
    this.set({ playing: !this.state.playing });
  }

  toggleLoop(): void {
    const { loop, from, to } = this.state;
    const end = this.#a?.end ?? 1;
    this.set({ loop: loop === null ? [Math.max(0, from), Math.min(end, to)] : null });
  }

  fit(): void {
    this.zoom(...wholeWindow(this.#a?.end ?? 1));
  }

  nextTheme(): void {
    this.#theme.next();
    this.say(`Theme: ${this.#theme.theme}`);
  }

  async copyLink(): Promise<void> {
    this.say(await this.#address.copy());
  }

  async export(kind: "png" | "svg" | "scenario" | "perfetto"): Promise<void> {
    const loaded = this.#a;
    if (loaded === null) return;
    this.say(await exportView(kind, loaded, this.#panels.first));
  }

  showOpen(): void {
    new OpenDialog(this).open();
  }
  showRun(): void {
    new RunDialog(this).open();
  }
  showFork(): void {
    if (this.#a !== null) new ForkDialog(this, this.#a).open();
  }
  showHelp(): void {
    new HelpDialog(this.#theme.palette).open();
  }
  startStory(): void {
    this.#story.start();
  }

  say(text: string): void {
    this.#toast.say(text);
  }

  toggleLive(): void {
    if (this.#a?.source.type !== "live") return;
    const { growth, text } = this.live.toggle();
    if (growth !== null) this.#grow(growth.loaded, growth.shift);
    this.say(text);
    this.#invalidate();
  }

  #loaded(side: Side, loaded: Loaded, { run, first, shift }: Arrival): void {
    this.#loading.hide();
    if (side === "b") {
      this.#b = loaded;
      this.#invalidate();
      return;
    }
    this.#run = run;
    if (first) {
      this.#a = loaded;
      this.live.reset();
      if (this.#b === this.#leaving) this.#b = null;
      this.set(freshState(this.state, loaded));
      this.moveTo(openingTime(loaded));
      this.#applyPending();
    } else {
      const growth = this.live.arrive(loaded, shift);
      if (growth !== null) this.#grow(growth.loaded, growth.shift);
    }
    this.#invalidate();
  }

  /** A live trace has grown: who stood at its end stays at its end. */
  #grow(loaded: Loaded, shift: Shift): void {
    const before = this.#a;
    this.#a = loaded;
    if (before !== null) this.set(grownState(this.state, before, { loaded, shift }));
  }

  #linked(side: Side, trouble: string | null): void {
    if (side !== "a" || trouble === this.live.trouble) return;
    if (this.#a !== null) this.say(trouble ?? "Connected again.");
    this.live.trouble = trouble;
    this.#invalidate();
  }

  #applyPending(): void {
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null || Object.keys(pending).length === 0) {
      return;
    }
    const t = pending.t ?? this.state.t;
    this.set({ ...pending, playing: false });
    this.moveTo(t, pending.event);
  }

  #failed(why: string, side: Side, locked: Source | null): void {
    if (locked !== null) {
      this.#loading.hide();
      new TokenDialog(this, why, locked, side).open();
      return;
    }
    this.#loading.fail(why);
    this.#invalidate();
  }

  /** Moves the window so that `t` is in it. */
  #show(t: number): void {
    const window = windowFor(this.state, t);
    if (window !== null) this.zoom(...window);
  }

  #key(event: KeyboardEvent): void {
    if (dialogOpen() || event.defaultPrevented) return;
    const action = actionFor(event);
    if (action === null) return;
    if (this.#a === null && action.group !== "trace" && action.keys[0] !== "t") return;
    event.preventDefault();
    action.act(this, event.shiftKey);
  }

  #invalidate(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      this.#tick(now);
    });
  }

  #tick(now: number): void {
    const loaded = this.#a;
    if (loaded !== null && this.state.playing) {
      const frameMs = this.#lastFrame === 0 ? 16 : now - this.#lastFrame;
      // With reduced motion the picture changes a few times a second instead of gliding.
      const wait = this.#reducedMotion.matches && this.#lastFrame !== 0 && frameMs < stepMs;
      this.#invalidate();
      if (wait) return;
      const { t, playing } = advance(this.state, frameMs, loaded.end, this.#reducedMotion.matches);
      this.#lastFrame = now;
      this.moveTo(t);
      this.#show(t);
      if (!playing) this.set({ playing });
    } else this.#lastFrame = 0;
    this.#render();
  }

  #render(): void {
    const start = performance.now();
    const loaded = this.#a;
    this.root.dataset["open"] = loaded === null ? "no" : "yes";
    this.#topbar.update(this);
    this.#welcome.root.hidden = loaded !== null;
    if (loaded === null) return;
    const scene: Scene = {
      loaded,
      state: this.state,
      palette: this.#theme.palette,
      reducedMotion: this.#reducedMotion.matches,
    };
    this.root.dataset["inspector"] = scene.state.inspector ? "yes" : "no";
    this.#viewBar.update(scene);
    this.#compare.update(this, scene);
    this.#panels.update(scene.state, scene.palette, scene.reducedMotion);
    if (scene.state.inspector) this.#inspector.update(this.#inspected(scene));
    this.#dock.update(scene);
    this.#story.update();
    // Read by the tests of the seeking speed.
    this.root.dataset["renderMs"] = (performance.now() - start).toFixed(2);
    this.#address.follow();
  }

  /** The scene of the side that was selected in last. */
  #inspected(scene: Scene): Scene {
    if (this.#b === null || scene.state.side === "a") return scene;
    return { ...scene, loaded: this.#b, state: sideState(scene.state, this.#b) };
  }
}
