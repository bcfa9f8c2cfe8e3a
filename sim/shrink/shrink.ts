/**
 * From a failing run to a small scenario that still fails the same check: first every random write
 * and fault is spelled out, then nodes, faults, writes and troubles of the network are taken away
 * one after another, as long as the check still fails.
 */
import type { CheckName } from "../check/check.ts";
import { createRun, type RunOptions } from "../run.ts";
import { parseScenario } from "../scenario/parse.ts";
import type { Fault, OpJson, Scenario, Workload } from "../scenario/scenario.ts";
import { explicitScenario } from "./explicit.ts";
import { reduceList } from "./reduce.ts";
import { withoutNode } from "./without-node.ts";

export interface ShrinkOptions {
  /** The seed with which the scenario fails. */
  readonly seed: string;
  readonly storeFactory?: RunOptions["storeFactory"];
  /** Runs spent at the most. */
  readonly maxRuns?: number;
  readonly progress?: (progress: ShrinkProgress) => void;
}

export interface ShrinkProgress {
  readonly runs: number;
  readonly size: ScenarioSize;
}

export interface ScenarioSize {
  readonly nodes: number;
  readonly faults: number;
  /** Operations of explicit transactions, and random workloads. */
  readonly writes: number;
}

export interface Shrunk {
  /** Carries its seed: `patina sim FILE` fails without further options. */
  readonly scenario: Scenario;
  readonly check: CheckName;
  readonly size: ScenarioSize;
  readonly runs: number;
}

const defaultMaxRuns = 400;
/** Runs are looked into this often, to stop a failing one at once. */
const sliceUs = 1_000_000;
/** Past the violation that much of the scenario's time is kept. */
const tailMs = 100;

export function sizeOf(scenario: Scenario): ScenarioSize {
  let writes = 0;
  for (const work of scenario.workload) writes += work.kind === "ops" ? work.ops.length : 1;
  return { nodes: scenario.nodes.length, faults: scenario.faults.length, writes };
}

/** Null when the run does not fail at all. */
export function shrink(scenario: Scenario, options: ShrinkOptions): Shrunk | null {
  const search = new Search(options);
  const failure = search.firstFailure(scenario);
  if (failure === null) return null;
  search.check = failure.check;
  search.best = { ...scenario, seed: options.seed };
  search.take({ ...failure.explicit, seed: options.seed });
  search.shorten(failure.atMs);
  let before = "";
  while (search.left > 0 && JSON.stringify(search.best) !== before) {
    before = JSON.stringify(search.best);
    search.removeFaults();
    search.removeWrites();
    search.removeNodes();
    search.simplifyNetwork();
  }
  const { best, check, runs } = search;
  return { scenario: best, check, size: sizeOf(best), runs };
}

class Search {
  best!: Scenario;
  check: CheckName = "converge";
  runs = 0;
  readonly #options: ShrinkOptions;

  constructor(options: ShrinkOptions) {
    this.#options = options;
  }

  get left(): number {
    return (this.#options.maxRuns ?? defaultMaxRuns) - this.runs;
  }

  firstFailure(scenario: Scenario): { check: CheckName; atMs: number; explicit: Scenario } | null {
    this.runs++;
    const run = createRun(scenario, {
      seed: this.#options.seed,
      ...(this.#options.storeFactory ? { storeFactory: this.#options.storeFactory } : {}),
      record: true,
    });
    run.step(Infinity);
    const violation = run.world.violations[0];
    if (violation === undefined) return null;
    return { check: violation.check, atMs: violation.atMs, explicit: explicitScenario(run) };
  }

  /** Whether a candidate is valid and fails the same check. */
  #tries(candidate: Scenario): boolean {
    if (this.left <= 0) return false;
    this.runs++;
    this.#options.progress?.({ runs: this.runs, size: sizeOf(this.best) });
    const run = createRun(candidate, {
      seed: this.#options.seed,
      ...(this.#options.storeFactory ? { storeFactory: this.#options.storeFactory } : {}),
    });
    for (let untilUs = sliceUs; ; untilUs += sliceUs) {
      const done = run.step(untilUs);
      if (run.world.violations.some(({ check }) => check === this.check)) return true;
      if (done) return false;
    }
  }

  take(candidate: Scenario): boolean {
    const whole = withoutOrphans(candidate);
    if (whole === null || !this.#tries(whole)) return false;
    this.best = whole;
    return true;
  }

  /** Nothing after the violation matters. */
  shorten(atMs: number): void {
    const { best } = this;
    const endMs = Math.ceil(Math.min(best.durationMs, atMs + tailMs));
    this.take({
      ...best,
      durationMs: endMs,
      faults: best.faults.flatMap((fault) => cutFault(fault, endMs)),
      workload: best.workload.flatMap((work) => cutWork(work, endMs)),
    });
  }

  removeFaults(): void {
    reduceList(this.best.faults, (faults) => this.take({ ...this.best, faults: [...faults] }));
  }

  removeWrites(): void {
    reduceList(this.best.workload, (workload) =>
      this.take({ ...this.best, workload: [...workload] }),
    );
    this.best.workload.forEach((work, i) => {
      if (work.kind !== "ops" || work.ops.length < 2) return;
      reduceList<OpJson>(work.ops, (ops) => {
        if (ops.length === 0) return false;
        const workload = this.best.workload.map((other, j) =>
          i === j ? { ...work, ops: [...ops] } : other,
        );
        return this.take({ ...this.best, workload });
      });
    });
  }

  removeNodes(): void {
    for (let n = this.best.nodes.length - 1; n >= 0; n--) {
      const fewer = withoutNode(this.best, n);
      if (fewer !== null) this.take(fewer);
    }
  }

  simplifyNetwork(): void {
    for (const trouble of ["loss", "duplicate", "corrupt"] as const) {
      if (this.best.network[trouble] > 0) this.#takeNetwork({ [trouble]: 0 });
    }
    if (this.best.network.bandwidthBytesPerSec !== null) {
      this.#takeNetwork({ bandwidthBytesPerSec: null });
    }
    const { clocks } = this.best;
    if (clocks.skewMsMax > 0 || clocks.driftPpmMax > 0) {
      this.take({ ...this.best, clocks: { skewMsMax: 0, driftPpmMax: 0 } });
    }
  }

  #takeNetwork(change: Partial<Scenario["network"]>): void {
    this.take({ ...this.best, network: { ...this.best.network, ...change } });
  }
}

/** Takes out what lost its sense when something before it went: the restart of a node that no longer crashes. */
function withoutOrphans(scenario: Scenario): Scenario | null {
  let whole = scenario;
  for (;;) {
    const parsed = parseScenario(whole, whole.name);
    if (parsed.ok) return whole;
    const orphan = /: faults\[(\d+)\]/.exec(parsed.error)?.[1];
    if (orphan === undefined) return null;
    whole = { ...whole, faults: whole.faults.filter((_, i) => i !== Number(orphan)) };
  }
}

function cutFault(fault: Fault, endMs: number): Fault[] {
  if (fault.kind === "random") {
    return fault.fromMs > endMs ? [] : [{ ...fault, toMs: Math.min(fault.toMs, endMs) }];
  }
  if (fault.atMs > endMs) return [];
  if ("untilMs" in fault && fault.untilMs !== null && fault.untilMs > endMs) {
    return [{ ...fault, untilMs: null }];
  }
  if (fault.kind === "hostile") return [{ ...fault, toMs: Math.min(fault.toMs, endMs) }];
  return [fault];
}

function cutWork(work: Workload, endMs: number): Workload[] {
  if (work.kind === "random") {
    return work.fromMs > endMs ? [] : [{ ...work, toMs: Math.min(work.toMs, endMs) }];
  }
  return work.atMs > endMs ? [] : [work];
}
