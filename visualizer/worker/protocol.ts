/** What the page and its worker say to each other. */
import type { Shift } from "../model/live-window.ts";
import type { Trace } from "../model/trace.ts";
import type { TraceIndex } from "../model/trace-index.ts";

export type Request =
  | { readonly type: "file"; readonly file: Blob }
  | { readonly type: "url"; readonly url: string }
  | {
      readonly type: "live";
      readonly urls: readonly string[];
      readonly token: string | null;
      /** So many of the last events are kept; null: as many as is usual. */
      readonly maxEvents: number | null;
    }
  | {
      readonly type: "run";
      /** A built-in name, or a scenario file as an object. */
      readonly scenario: string | Readonly<Record<string, unknown>>;
      readonly seed: string;
      readonly nodes: number | null;
    };

/** What the simulator said of a run. */
export interface RunSummary {
  readonly traceHash: string;
  readonly ok: boolean;
  readonly converged: boolean;
  readonly convergedAfterMs: number | null;
  readonly virtualMs: number;
  readonly wallMs: number;
  readonly violations: readonly string[];
}

export type Reply =
  | {
      readonly type: "progress";
      /** Between 0 and 1; null where the end is not known. */
      readonly share: number | null;
      readonly text: string;
    }
  | {
      readonly type: "trace";
      readonly trace: Trace;
      readonly index: TraceIndex;
      /** False: a live stream, more will come. */
      readonly final: boolean;
      readonly run: RunSummary | null;
      /** Of a live trace that has forgotten its oldest events since the last reply. */
      readonly shift: Shift;
    }
  /** How the connections of a live trace are; null: well. */
  | { readonly type: "link"; readonly trouble: string | null }
  | {
      readonly type: "failed";
      readonly why: string;
      /** A token would help. */
      readonly unauthorized: boolean;
    };

/** The buffers inside a message, to hand over instead of copying. */
export function buffersOf(message: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof ArrayBuffer && value.byteLength > 0) buffers.add(value.buffer);
    } else if (Array.isArray(value)) {
      // Long lists hold text; only lists of objects hold buffers.
      if (typeof value[0] === "object") for (const item of value) visit(item);
    } else if (typeof value === "object" && value !== null)
      for (const item of Object.values(value)) visit(item);
  };
  visit(message);
  return [...buffers];
}
