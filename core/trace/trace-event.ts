/**
 * The vocabulary of traces, format 1: a header, then one event a line, as NDJSON. Spoken by the
 * simulator, by live nodes and by the visualizer. A reader passes over kinds and fields that it
 * does not know. `docs/trace.md` is the reference.
 */
import type { MemberState, Plane } from "../node/event.ts";
import type { TaggedValue } from "./tagged-value.ts";

export const traceFormat = 1;

export interface TraceHeader {
  readonly trace: typeof traceFormat;
  readonly source: "sim" | "live";
  readonly seed?: string;
  readonly scenario?: string;
  /** The resolved scenario and nothing else. */
  readonly options: unknown;
  readonly nodes: readonly TraceNode[];
  readonly schema: readonly string[];
}

export interface TraceNode {
  readonly n: number;
  readonly name: string;
  readonly region: string;
  readonly actor: string;
}

export type DropReason = "loss" | "partition" | "cut" | "dead" | "corrupt" | "overflow";

/** `[table, primary key, causal length, cells written]`. */
export type TraceChange = readonly [
  table: string,
  pk: readonly TaggedValue[],
  cl: number,
  cells: readonly (readonly [column: string, value: TaggedValue | { readonly add: TaggedValue }])[],
];

/** `t`: integer microseconds since the run began. `n`: the node it happens on. */
interface At {
  readonly t: number;
  readonly n: number;
}

export type TraceEvent =
  | (At & {
      readonly k: "send";
      readonly m: number;
      readonly to: number;
      readonly plane: Plane;
      readonly msg: string;
      readonly bytes: number;
    })
  | (At & {
      readonly k: "recv";
      readonly m: number;
      readonly from: number;
      readonly plane: Plane;
      readonly msg: string;
    })
  | (At & { readonly k: "drop"; readonly m: number; readonly to: number; readonly why: DropReason })
  | (At & {
      readonly k: "member";
      readonly about: number;
      readonly state: MemberState;
      readonly inc: number;
      readonly epoch: number;
    })
  | (At & {
      readonly k: "commit";
      readonly actor: string;
      readonly version: number;
      readonly hlc: string;
      readonly changes: readonly TraceChange[];
    })
  | (At & {
      readonly k: "apply";
      readonly actor: string;
      readonly version: number;
      readonly via: "gossip" | "sync" | "snapshot";
      readonly won: number;
      readonly lost: number;
    })
  | (At & {
      readonly k: "buffer";
      readonly actor: string;
      readonly version: number;
      readonly have: number;
      readonly of: number;
    })
  | (At & {
      readonly k: "need";
      readonly actor: string;
      readonly from: number;
      readonly to: number;
    })
  | (At & {
      readonly k: "state";
      readonly hash: string;
      readonly heads: Readonly<Record<string, number>>;
      readonly gaps: number;
      readonly rows: number;
    })
  | {
      readonly t: number;
      readonly k: "fault" | "lift";
      readonly id: number;
      readonly fault: unknown;
    }
  | (At & { readonly k: "crash"; readonly disk: "kept" | "torn" | "lost" })
  | (At & { readonly k: "restart"; readonly actor: string })
  | (At & { readonly k: "pause" | "resume" | "leave" })
  | (At & {
      readonly k: "join";
      readonly actor: string;
      readonly name: string;
      readonly region: string;
      /** The node whose address it took. */
      readonly address?: number;
    })
  | (At & {
      readonly k: "snapshot";
      readonly from: number;
      readonly heads: Readonly<Record<string, number>>;
    })
  | {
      readonly t: number;
      readonly k: "violation";
      readonly n?: number;
      readonly check: string;
      readonly detail: string;
    }
  | { readonly t: number; readonly k: "end"; readonly converged: boolean; readonly hash: string };

/** A line with its newline. Fields stand in the order in which they were given. */
export function traceLine(event: TraceEvent | TraceHeader): string {
  return `${JSON.stringify(event)}\n`;
}

/** A line read back; null if it is no JSON object (a truncated last line, say). */
export function parseTraceLine(line: string): TraceEvent | TraceHeader | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as TraceEvent | TraceHeader)
      : null;
  } catch {
    return null;
  }
}
