/**
 * A scenario as the simulator runs it: every default filled in, every number checked. It is also a
 * scenario file: written out as JSON and read back it is the same scenario. `docs/scenario.md` is
 * the reference.
 */
import type { Value } from "../../core/crdt/value.ts";
import type { LatencySpec } from "../network/latency.ts";
import type { TaggedValue } from "../../core/trace/tagged-value.ts";

export interface Scenario {
  readonly name: string;
  /** One sentence for lists. */
  readonly summary: string;
  readonly nodes: readonly NodeSpec[];
  readonly durationMs: number;
  readonly schema: readonly string[];
  readonly network: NetworkSpec;
  readonly clocks: { readonly skewMsMax: number; readonly driftPpmMax: number };
  readonly workload: readonly Workload[];
  readonly faults: readonly Fault[];
  readonly expect: {
    readonly convergeWithinMs: number;
    readonly violations: number;
    /** How often a node may hold another for dead that runs and can be reached; not there: it is not looked at. */
    readonly falseDeaths?: number;
  };
  /** Timing of membership: `core/swim`'s profiles. */
  readonly profile: "lan" | "wan" | "fast";
  readonly broadcast: "tree" | "flood";
  /** `cold`: nodes know only whom to ask. `warm`: every node knows every other from the beginning. */
  readonly start: "cold" | "warm";
  /** The seed for runs that are given none; a shrunk scenario carries the one it fails with. */
  readonly seed: string | null;
}

export interface NodeSpec {
  readonly name: string;
  readonly region: string;
}

export interface NetworkSpec {
  readonly latencyMs: LatencySpec;
  readonly loss: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** Per directed link; null is unlimited. */
  readonly bandwidthBytesPerSec: number | null;
}

/** A value as the file has it. */
export type RowJson = Readonly<Record<string, TaggedValue>>;
export type Row = Readonly<Record<string, Value>>;

export type OpJson =
  | readonly ["insert" | "upsert", table: string, row: RowJson]
  | readonly ["update", table: string, key: RowJson, set: RowJson]
  | readonly ["delete", table: string, key: RowJson]
  | readonly [
      "fill",
      table: string,
      from: number,
      to: number,
      row: Readonly<Record<string, unknown>>,
    ];

export type Workload =
  | {
      readonly kind: "random";
      readonly fromMs: number;
      readonly toMs: number;
      readonly ratePerSec: number;
      readonly table: string;
      readonly keys: number;
      readonly mix: { readonly insert: number; readonly update: number; readonly delete: number };
      readonly rowsPerTx: number;
      /** The nodes written to; null: every node alive at the time. */
      readonly nodes: readonly number[] | null;
      /** Length of each text and blob written, in characters and bytes. */
      readonly valueBytes: number;
    }
  | {
      readonly kind: "ops";
      readonly atMs: number;
      readonly node: number;
      readonly ops: readonly OpJson[];
    }
  | {
      readonly kind: "sql";
      readonly atMs: number;
      readonly node: number;
      readonly statements: readonly unknown[];
    };

export type DiskFate = "kept" | "torn" | "lost";

/** What the nemesis may begin. */
export const nemesisKinds = [
  "partition",
  "link",
  "crash",
  "pause",
  "clock",
  "slow",
  "block",
  "leave",
  "join",
  "hostile",
] as const;

export type NemesisKind = (typeof nemesisKinds)[number];

export type Fault =
  | {
      readonly kind: "partition";
      readonly atMs: number;
      readonly groups: readonly (readonly number[])[];
      readonly oneway: boolean;
      /** It ends by itself at this time; null: by `heal` or the end of the run. */
      readonly untilMs: number | null;
    }
  | {
      readonly kind: "link";
      readonly atMs: number;
      readonly from: number;
      readonly to: number;
      readonly loss: number;
      readonly latencyMs: LatencySpec | null;
      readonly cut: boolean;
      readonly untilMs: number | null;
    }
  | { readonly kind: "heal"; readonly atMs: number }
  | {
      readonly kind: "crash";
      readonly atMs: number;
      readonly node: number;
      readonly disk: DiskFate;
    }
  | { readonly kind: "restart"; readonly atMs: number; readonly node: number }
  | {
      readonly kind: "pause" | "resume" | "block" | "unblock" | "leave";
      readonly atMs: number;
      readonly node: number;
    }
  | {
      readonly kind: "clock";
      readonly atMs: number;
      readonly node: number;
      readonly jumpMs: number;
      readonly untilMs: number | null;
    }
  | { readonly kind: "slow"; readonly atMs: number; readonly node: number; readonly factor: number }
  | {
      readonly kind: "join";
      readonly atMs: number;
      readonly name: string;
      readonly region: string;
      /** The node asked for the cluster; null: any. */
      readonly bootstrap: number | null;
      /** The node whose address it takes, by mistake; null: it has its own. */
      readonly address: number | null;
    }
  /** The node sends garbage and damaged copies of true messages, beside its own, until `toMs`. */
  | {
      readonly kind: "hostile";
      readonly atMs: number;
      readonly toMs: number;
      readonly node: number;
      readonly ratePerSec: number;
    }
  /** One stored cell of the node changes its value with no trace in the books. */
  | { readonly kind: "bitrot"; readonly atMs: number; readonly node: number }
  | {
      readonly kind: "random";
      readonly fromMs: number;
      readonly toMs: number;
      readonly everyMs: number;
      readonly kinds: readonly NemesisKind[];
    };

export type FaultKind = Fault["kind"];

export const defaultSchema: readonly string[] = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
];

/** Pairs of nodes are keyed in one small integer (`network/network.ts`). */
export const maxNodes = 16_000;
