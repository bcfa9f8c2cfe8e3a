/**
 * One simulated run in two phases: workload and faults under the safety checks, then everything
 * healed and convergence demanded, and quiet after it. A run can be driven to its end at once
 * (`runScenario`) or step by step, for progress on a terminal or a page (`createRun`).
 */
import { assert } from "../core/base/assert.ts";
import { createRng } from "./rng.ts";
import { forgetPushes } from "../core/gossip/push-memo.ts";
import type { Identity } from "../core/swim/identity.ts";
import { traceFormat } from "../core/trace/trace-event.ts";
import type { CheckName } from "./check/check.ts";
import { membershipProblems } from "./check/membership.ts";
import { idleLevels, markTraffic, restless, type TrafficMark } from "./check/quiescence.ts";
import { createSuite, type Suite } from "./check/suite.ts";
import { Drivers } from "./drivers.ts";
import { type Dump, dumpNodes } from "./dump.ts";
import * as ev from "./event-kinds.ts";
import { Faults, leaveWithinUs } from "./faults.ts";
import type { Hostile } from "./host/hostile.ts";
import type { SimNode } from "./host/node.ts";
import { Kernel } from "./kernel.ts";
import type { Packet } from "./network/packet.ts";
import { Partitions } from "./partitions.ts";
import { reproCommand, reproLine, type RunResult } from "./result.ts";
import type { Fault, Scenario } from "./scenario/scenario.ts";
import type { StoreFactory } from "./store-factory.ts";
import { memoryStores } from "./store/memory-disk.ts";
import { forgetPrepared } from "./store/prepared.ts";
import { SimTrace } from "./trace.ts";
import { type RanTask, SimWorld } from "./world.ts";

export interface RunOptions {
  readonly seed: string;
  readonly storeFactory?: StoreFactory;
  /** Called with each line of the trace, newline included. */
  readonly trace?: (line: string) => void;
  readonly progress?: (progress: Progress) => void;
  /** Milliseconds of a clock of the host's, for `wallMs` alone. */
  readonly wallClock?: () => number;
  /** The checks made; all by default. */
  readonly checks?: readonly CheckName[];
  /** Keeps what ran, for shrinking. */
  readonly record?: boolean;
  /** The command that runs this scenario, without the seed, for the line that repeats the run. */
  readonly command?: string;
}

export type Phase = "faults" | "healing" | "quiet" | "done";

export interface Progress {
  readonly atMs: number;
  readonly durationMs: number;
  readonly phase: Phase;
  readonly messages: number;
  /** Transactions acknowledged. */
  readonly acked: number;
  /** Different data states among the live nodes. */
  readonly states: number;
  readonly faultsInForce: readonly Fault[];
}

/** Between two looks at whether the cluster has come to rest. */
const pollUs = 50_000;
/** Quiet must last for two such windows. */
const quietWindowUs = { lan: 5_000_000, wan: 15_000_000, fast: 5_000_000 } as const;
/** Looks from outside in the first phase; at least this long between two. */
const samplesPerRun = 12;
const minSampleUs = 1_000_000;
const progressUs = 250_000;

export function runScenario(scenario: Scenario, options: RunOptions): RunResult {
  const run = createRun(scenario, options);
  run.step(Infinity);
  return run.result();
}

export function createRun(scenario: Scenario, options: RunOptions): Run {
  return new Run(scenario, options);
}

export class Run {
  readonly scenario: Scenario;
  readonly world: SimWorld;
  readonly faults: Faults;
  readonly #options: RunOptions;
  readonly #kernel = new Kernel();
  readonly #drivers: Drivers;
  readonly #suite: Suite;
  readonly #partitions: Partitions;
  readonly #startedMs: number;
  #wallMs = 0;
  #phase: Phase = "faults";
  #deadlineUs = Infinity;
  #mark: TrafficMark | null = null;
  #quietWindows = 0;
  #restless = "";
  #converged = false;
  #nextProgressUs = 0;
  #nextPollUs = 0;

  constructor(scenario: Scenario, options: RunOptions) {
    this.scenario = scenario;
    this.#options = options;
    this.#startedMs = options.wallClock?.() ?? 0;
    const rng = createRng(options.seed);
    this.world = new SimWorld(
      scenario,
      this.#kernel,
      new SimTrace(options.trace ?? null),
      options.storeFactory ?? memoryStores(),
      rng,
      options.record ?? false,
    );
    this.faults = new Faults(this.world, rng.fork("faults"));
    this.#partitions = new Partitions(this.world);
    this.faults.watch = this.#partitions;
    this.#drivers = new Drivers(this.world, this.faults, rng);
    this.#suite = createSuite(this.world, scenario.expect, options.checks);
    this.world.checks = this.#suite.checks;
    this.#begin();
  }

  get nowUs(): number {
    return this.#kernel.nowUs;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get done(): boolean {
    return this.#phase === "done";
  }

  /** Transactions as they ran; empty unless the run is recorded. */
  get ranTasks(): readonly RanTask[] {
    return this.world.ranTasks ?? [];
  }

  /** Runs on until `untilUs` of virtual time, or to the end; true when the run is over. */
  step(untilUs: number): boolean {
    const kernel = this.#kernel;
    while (this.#phase !== "done") {
      const turnUs = this.#nextTurnUs();
      const targetUs = turnUs < untilUs ? turnUs : untilUs;
      while (kernel.take(targetUs)) {
        this.#dispatch();
        if (this.world.broken) {
          this.#finish(false);
          return true;
        }
      }
      kernel.advance(targetUs);
      if (kernel.nowUs >= turnUs) this.#turn();
      else return false;
    }
    return true;
  }

  progress(): Progress {
    return {
      atMs: this.#kernel.nowUs / 1000,
      durationMs: this.scenario.durationMs,
      phase: this.#phase,
      messages: this.world.traffic.totalMessages,
      acked: this.world.writes.acked,
      states: this.world.agreement.states,
      faultsInForce: this.faults.active.map(({ fault }) => fault),
    };
  }

  #begin(): void {
    const { scenario, world } = this;
    for (const spec of scenario.nodes) world.boot(world.addNode(spec));
    world.trace.header({
      trace: traceFormat,
      source: "sim",
      seed: this.#options.seed,
      scenario: scenario.name,
      options: scenario,
      nodes: world.nodes.map(({ n, name, region, actor }) => ({ n, name, region, actor })),
      schema: scenario.schema,
    });
    // Who knows everybody asks nobody: ten thousand lists of ten thousand members would be sent.
    const warm = scenario.start === "warm";
    const known: Identity[] = warm ? world.nodes.map((node) => node.identity) : [];
    for (const node of world.nodes) {
      world.begin(node, warm ? [] : this.faults.seedsOf(node), known);
    }
    world.disturbedUs = 0;
    this.#drivers.plan();
    this.#scheduleSample();
  }

  #scheduleSample(): void {
    const gapUs = Math.max(minSampleUs, (this.scenario.durationMs * 1000) / samplesPerRun);
    this.#kernel.schedule(this.#kernel.nowUs + gapUs, ev.evSample, 0, 0, 0, null);
  }

  #dispatch(): void {
    const kernel = this.#kernel;
    const { world } = this;
    const { a, b, c, ref } = kernel;
    switch (kernel.kind) {
      case ev.evArrive:
        world.network.arrive(ref as Packet);
        break;
      case ev.evTimer: {
        const node = world.nodes[a] as SimNode;
        if (node.boot === c && node.replica !== null) node.timerDue(b);
        break;
      }
      case ev.evFree: {
        const node = world.nodes[a] as SimNode;
        if (node.boot === c && node.replica !== null) node.free();
        break;
      }
      case ev.evUnreachable:
        world.network.giveUp(b, a, c);
        break;
      default:
        this.#dispatchRare(kernel.kind, a, b, c, ref);
    }
    world.stopLeavers();
  }

  #dispatchRare(kind: number, a: number, b: number, c: number, ref: unknown): void {
    const { world } = this;
    const node = world.nodes[a];
    const same = node !== undefined && node.boot === c && node.replica !== null;
    switch (kind) {
      case ev.evRtt:
        if (same)
          node.signal({ type: "rtt", peer: world.addressOf(ref as number), rttMs: b / 1000 });
        break;
      case ev.evCheckpoint:
        if (same) node.checkpointDue();
        break;
      case ev.evState:
        if (same && node.statePending) world.tellState(node);
        break;
      case ev.evWorkload:
        this.#drivers.workloadDue(a);
        break;
      case ev.evFault:
        this.#drivers.faultDue(a);
        break;
      case ev.evNemesis:
        this.#drivers.nemesisDue(a);
        break;
      case ev.evLift:
        this.faults.lift(a);
        break;
      case ev.evLeaveOver:
        if (same && node.leaving) world.stop(node);
        break;
      case ev.evHostile:
        if (same) (ref as Hostile).strike();
        break;
      case ev.evSample:
        for (const check of world.checks) check.sample?.();
        if (this.#phase === "faults") this.#scheduleSample();
        break;
      default:
        assert(false, `event kind ${kind} is known`);
    }
  }

  /** When the run's own course must be thought over next. */
  #nextTurnUs(): number {
    if (this.#phase === "faults") {
      const endUs = Math.ceil(this.scenario.durationMs * 1000);
      return this.#options.progress === undefined ? endUs : Math.min(endUs, this.#nextProgressUs);
    }
    if (this.#phase === "healing") return this.#nextPollUs;
    return (this.#mark?.atUs ?? 0) + quietWindowUs[this.scenario.profile];
  }

  #turn(): void {
    const nowUs = this.#kernel.nowUs;
    if (nowUs >= this.#nextProgressUs) {
      this.#nextProgressUs = nowUs + progressUs;
      this.#options.progress?.(this.progress());
    }
    switch (this.#phase) {
      case "faults":
        if (nowUs >= this.scenario.durationMs * 1000) this.#heal();
        return;
      case "healing":
        this.#nextPollUs = nowUs + pollUs;
        if (this.#isCalm()) this.#watchQuiet();
        else if (nowUs >= this.#deadlineUs) this.#finish(false);
        return;
      case "quiet":
        this.#judgeQuiet();
        return;
      case "done":
        return;
    }
  }

  #heal(): void {
    this.#drivers.stop();
    this.faults.liftAll();
    this.world.network.cuts.assertNone();
    this.#phase = "healing";
    this.#nextPollUs = this.#kernel.nowUs + pollUs;
    this.#deadlineUs = this.#kernel.nowUs + this.scenario.expect.convergeWithinMs * 1000;
    for (const node of this.world.nodes) {
      if (!node.leaving) continue;
      this.#kernel.schedule(
        this.#kernel.nowUs + leaveWithinUs,
        ev.evLeaveOver,
        node.n,
        0,
        node.boot,
        null,
      );
    }
  }

  /**
   * The same data and the same books everywhere, and every member known as it is. The books may
   * name parts of versions whose rest went with a disk; then everybody's do.
   */
  #isCalm(): boolean {
    const { agreement, nodes } = this.world;
    if (agreement.sinceUs < 0 || nodes.some((node) => node.leaving)) return false;
    let books: Readonly<{ hi: number; lo: number }> | null = null;
    for (const node of nodes) {
      if (node.replica === null) continue;
      const { ledger } = node.replica;
      if (books === null) books = { ...ledger.hash };
      else if (books.hi !== ledger.hash.hi || books.lo !== ledger.hash.lo) return false;
    }
    return membershipProblems(nodes, 1).length === 0;
  }

  #watchQuiet(): void {
    this.#phase = "quiet";
    this.#mark = markTraffic(this.#kernel.nowUs, this.world.traffic);
  }

  #judgeQuiet(): void {
    const mark = this.#mark as TrafficMark;
    const after = markTraffic(this.#kernel.nowUs, this.world.traffic);
    const live = this.world.nodes.filter((node) => node.live).length;
    const why = restless(mark, after, live, idleLevels[this.scenario.profile]);
    this.#mark = after;
    if (why === null && this.#isCalm()) {
      this.#quietWindows++;
      if (this.#quietWindows >= 2) this.#finish(true);
      return;
    }
    this.#quietWindows = 0;
    this.#restless = why ?? "members or data are not what they were";
    const { profile } = this.scenario;
    if (this.#kernel.nowUs < this.#deadlineUs + 2 * quietWindowUs[profile]) return;
    const wanted = this.#options.checks;
    if (wanted === undefined || wanted.includes("quiescence")) {
      this.world.report(
        "quiescence",
        null,
        `traffic does not fall to its idle level: ${this.#restless}`,
      );
    }
    this.#finish(this.#isCalm());
  }

  #finish(calm: boolean): void {
    const { world } = this;
    this.#phase = "done";
    if (!world.broken) {
      for (const check of world.checks) {
        check.sample?.();
        check.atEnd?.();
      }
      for (const node of world.nodes) world.tellState(node);
    }
    this.#converged = !world.broken && world.agreement.sinceUs >= 0 && (calm || this.#isCalm());
    const hash = this.#stateHash();
    world.trace.write({
      t: this.#kernel.nowUs,
      k: "end",
      converged: this.#converged,
      hash,
    });
    this.abandon();
    this.#wallMs = (this.#options.wallClock?.() ?? 0) - this.#startedMs;
    this.#options.progress?.(this.progress());
  }

  /** Lets go of what memos of the process keep of this run, which is of no use to the next ones. Called at its end, or by whoever ends it early. */
  abandon(): void {
    forgetPushes();
    forgetPrepared();
  }

  #stateHash(): string {
    if (!this.#converged) return "";
    return this.world.nodes.find((node) => node.live)?.summary.hash ?? "";
  }

  result(): RunResult {
    assert(this.#phase === "done", "a run has a result at its end");
    const { world, scenario } = this;
    const { traffic, agreement } = world;
    const command = this.#options.command ?? reproCommand(scenario);
    const repro = reproLine(command, this.#options.seed);
    const expected = scenario.expect.violations;
    const plane = (p: number) => ({
      messages: traffic.messages[p] as number,
      bytes: traffic.bytes[p] as number,
    });
    return {
      scenario: scenario.name,
      seed: this.#options.seed,
      store: this.#options.storeFactory?.name ?? "memory",
      nodes: scenario.nodes.length,
      ok: world.violations.length === expected && (expected > 0 || this.#converged),
      converged: this.#converged,
      convergedAfterMs: this.#converged
        ? Math.max(0, agreement.sinceUs - world.disturbedUs) / 1000
        : null,
      stateHash: this.#stateHash(),
      traceHash: world.trace.hash.digest(),
      virtualMs: this.#kernel.nowUs / 1000,
      wallMs: Math.round(this.#wallMs * 10) / 10,
      events: this.#kernel.taken,
      messages: traffic.totalMessages,
      bytes: traffic.totalBytes,
      writes: {
        ...world.writes,
        lost: this.#suite.lostWrites?.lost ?? 0,
        lostWithDisk: this.#suite.lostWrites?.lostWithDisk ?? 0,
      },
      violations: world.violations.map((violation) => ({ ...violation, repro })),
      planes: { swim: plane(0), gossip: plane(1), sync: plane(2) },
      faults: { ...this.faults.begun },
      partitions: this.#partitions.reports,
    };
  }

  /** The tables of every node that ever was, as they are now. */
  dump(): Dump {
    return dumpNodes(this.world.nodes);
  }
}
