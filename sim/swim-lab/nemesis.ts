/**
 * Random trouble for a lab: faults of every kind begin and end, all drawn from one seed; then
 * everything is lifted. What must never happen is watched all the time, and afterwards all must
 * come to agree.
 */
import type { Rng } from "../../core/base/rng.ts";
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { SwimLab } from "./lab.ts";
import { disagreements } from "./measure.ts";

export interface NemesisOptions {
  readonly seed: string;
  readonly nodes: number;
  /** How long faults go on. */
  readonly troubleSec: number;
  /** How long the cluster may take to agree once they are lifted. */
  readonly calmSec: number;
  readonly loss?: number;
  readonly config?: SwimConfig;
}

export interface NemesisResult {
  readonly faults: readonly string[];
  readonly violations: readonly string[];
  /** Seconds from the end of the faults; −1 if they never agreed. */
  readonly calmAfterSec: number;
  readonly disagreements: readonly string[];
  readonly messages: number;
  readonly bytes: number;
}

/** Mean time between two faults. */
const everyMs = 1500;

export function runNemesis(options: NemesisOptions): NemesisResult {
  const { seed, nodes, troubleSec, calmSec } = options;
  const lab = new SwimLab({
    seed,
    nodes,
    loss: options.loss ?? 0.02,
    duplicate: 0.02,
    config: options.config ?? lanProfile,
    latencyMs: { min: 0.5, max: 30 },
  });
  const trouble = new Trouble(lab);
  lab.start();
  lab.runUntil(3000);
  const untilMs = 3000 + troubleSec * 1000;
  while (lab.nowMs < untilMs) {
    trouble.one();
    lab.runUntil(Math.min(untilMs, lab.nowMs + trouble.rng.unit() * 2 * everyMs));
    lab.watch?.inspect();
  }
  trouble.liftAll();
  const done = (): boolean => disagreements(lab, 1).length === 0;
  const at = lab.runUntilTrue(done, untilMs + calmSec * 1000, 100);
  lab.watch?.inspect();
  return {
    faults: trouble.told,
    violations: (lab.watch?.violations ?? []).map(
      ({ check, atMs, node, detail }) => `${atMs.toFixed(1)} n${node} ${check}: ${detail}`,
    ),
    calmAfterSec: at < 0 ? -1 : (at - untilMs) / 1000,
    disagreements: at < 0 ? disagreements(lab) : [],
    messages: lab.traffic.messages,
    bytes: lab.traffic.bytes,
  };
}

type Fault = (node: number) => string | null;

class Trouble {
  readonly told: string[] = [];
  readonly rng: Rng;
  readonly #lab: SwimLab;
  readonly #cuts: number[] = [];
  readonly #away = new Set<number>();
  readonly #faults: readonly Fault[];

  constructor(lab: SwimLab) {
    this.#lab = lab;
    this.rng = lab.rng.fork("nemesis");
    this.#faults = [
      (node) => this.#crash(node),
      (node) => this.#comeBack(node),
      (node) => this.#comeBack(node),
      (node) => this.#pause(node),
      (node) => this.#block(node),
      (node) => this.#leave(node),
      () => this.#cut(false),
      () => this.#cut(true),
      () => this.#healOne(),
      () => this.#healOne(),
    ];
  }

  /** Begins or ends one fault, if the one drawn is possible just now. */
  one(): void {
    const { rng } = this;
    const fault = this.#faults[rng.below(this.#faults.length)] as Fault;
    const what = fault(rng.below(this.#lab.nodes.length));
    if (what !== null) this.told.push(`${this.#lab.nowMs.toFixed(1)} ${what}`);
  }

  liftAll(): void {
    for (const cut of this.#cuts.splice(0)) this.#lab.heal(cut);
    for (const node of this.#lab.nodes) {
      if (node.membership !== null && node.paused) this.#lab.resume(node.index);
      if (node.membership !== null && node.blocked) this.#lab.unblock(node.index);
    }
    // Coming back takes a node out of the set.
    const away = Array.from(this.#away);
    for (const node of away) this.#comeBack(node);
    this.told.push(`${this.#lab.nowMs.toFixed(1)} all lifted`);
  }

  #runs(node: number): boolean {
    const { membership, paused, blocked } = this.#lab.node(node);
    return membership !== null && !paused && !blocked;
  }

  #crash(node: number): string | null {
    if (this.#lab.node(node).membership === null || this.#away.size * 2 > this.#lab.nodes.length) {
      return null;
    }
    this.#lab.crash(node);
    this.#away.add(node);
    return `n${node} crashes`;
  }

  #leave(node: number): string | null {
    if (!this.#runs(node) || this.#away.size * 2 > this.#lab.nodes.length) return null;
    this.#lab.leave(node);
    this.#away.add(node);
    return `n${node} leaves`;
  }

  /** With its disk or, one time in four, without. */
  #comeBack(_node: number): string | null {
    const [node] = this.#away;
    if (node === undefined || this.#lab.node(node).membership !== null) return null;
    this.#away.delete(node);
    const lostDisk = this.rng.below(4) === 0;
    const others = [...this.#lab.running()].map(({ index }) => index);
    const seeds = others.length === 0 ? [] : [others[0] as number, others.at(-1) as number];
    this.#lab.restart(node, seeds, lostDisk);
    return `n${node} comes back${lostDisk ? " with an empty disk" : ""}, seeds ${seeds.join(",")}`;
  }

  #pause(node: number): string | null {
    const held = this.#lab.node(node);
    if (held.membership === null) return null;
    if (held.paused) this.#lab.resume(node);
    else this.#lab.pause(node);
    return `n${node} ${held.paused ? "stands still" : "goes on"}`;
  }

  #block(node: number): string | null {
    const held = this.#lab.node(node);
    if (held.membership === null) return null;
    if (held.blocked) this.#lab.unblock(node);
    else this.#lab.block(node);
    return `n${node} is ${held.blocked ? "blocked" : "unblocked"}`;
  }

  #cut(oneway: boolean): string | null {
    if (this.#cuts.length >= 3) return null;
    const groups: number[][] = [[], []];
    for (const { index } of this.#lab.nodes) (groups[this.rng.below(2)] as number[]).push(index);
    if (groups.some((group) => group.length === 0)) return null;
    this.#cuts.push(this.#lab.partition(groups, oneway));
    const sides = groups.map((group) => group.join(",")).join(oneway ? " -x " : " | ");
    return `cut ${sides}`;
  }

  #healOne(): string | null {
    if (this.#cuts.length === 0) return null;
    const [cut] = this.#cuts.splice(this.rng.below(this.#cuts.length), 1);
    this.#lab.heal(cut as number);
    return "a cut heals";
  }
}
