/** What a run says of itself: the object that `patina sim --json` prints. */
import type { FaultKind, Scenario } from "./scenario/scenario.ts";
import type { CheckName } from "./check/check.ts";

export interface RunResult {
  readonly scenario: string;
  readonly seed: string;
  readonly store: "memory" | "sqlite";
  /** At the start. */
  readonly nodes: number;
  /** As many violations as expected, and convergence unless violations were expected. */
  readonly ok: boolean;
  readonly converged: boolean;
  /** From the last disturbance to the moment from which every live node held the same state; null without convergence. */
  readonly convergedAfterMs: number | null;
  /** Of the live nodes' common state; the empty string without convergence. */
  readonly stateHash: string;
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Of the host's clock, when the caller gave one; else 0. */
  readonly wallMs: number;
  readonly events: number;
  readonly messages: number;
  readonly bytes: number;
  readonly writes: {
    readonly acked: number;
    readonly failed: number;
    readonly lost: number;
    readonly lostWithDisk: number;
  };
  readonly violations: readonly ViolationReport[];
  readonly planes: Readonly<Record<"swim" | "gossip" | "sync", PlaneTraffic>>;
  /** How many faults of each kind began. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** The partitions of the run, and how far the sides were apart when each was lifted. */
  readonly partitions: readonly PartitionReport[];
}

export interface ViolationReport {
  readonly check: CheckName;
  readonly atMs: number;
  readonly node?: number;
  readonly detail: string;
  /** The command that repeats the run. */
  readonly repro: string;
}

export interface PlaneTraffic {
  readonly messages: number;
  readonly bytes: number;
}

export interface PartitionReport {
  readonly fromMs: number;
  readonly toMs: number;
  readonly groups: readonly (readonly number[])[];
  readonly oneway: boolean;
  /** Different data states among live nodes when it was lifted. */
  readonly states: number;
  /** Versions that the live node holding fewest lacked then, of all that any of them held. */
  readonly versionsApart: number;
  /** Rows that differed then between the live node holding fewest versions and the one holding most. */
  readonly rowsApart: number;
}

/** The line that repeats a run. */
export function reproLine(command: string, seed: string): string {
  return `${command} --seed ${quoted(seed)}`;
}

/** The command of a run on the memory store. */
export function reproCommand(scenario: Scenario): string {
  return `patina sim ${quoted(scenario.name)}`;
}

function quoted(word: string): string {
  return /^[\w./:#@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
