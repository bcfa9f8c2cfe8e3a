/** Helpers of the tests: text to a trace, and one line to an event. */
import { TraceBuilder } from "../../../visualizer/model/ingest.ts";
import type { Trace } from "../../../visualizer/model/trace.ts";

const encoder = new TextEncoder();

/** Reads a whole text, in pieces of `pieceBytes`. */
export function readTrace(text: string, pieceBytes = Infinity): Trace {
  return readBytes(encoder.encode(text), pieceBytes);
}

export function readBytes(bytes: Uint8Array, pieceBytes = Infinity): Trace {
  const builder = new TraceBuilder();
  const step = Math.min(bytes.length, pieceBytes) || 1;
  for (let at = 0; at < bytes.length; at += step) builder.push(bytes.subarray(at, at + step));
  builder.end();
  return builder.snapshot();
}

export const actors = ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(32));

/** A header for `nodes` nodes with actors a…, b…, in two regions. */
export function header(nodes = 3, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    trace: 1,
    source: "sim",
    seed: "1",
    scenario: "test",
    options: { name: "test" },
    nodes: Array.from({ length: nodes }, (_, n) => ({
      n,
      name: `n${n}`,
      region: n % 2 === 0 ? "iad" : "fra",
      actor: actors[n],
    })),
    schema: [
      "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
    ],
    ...extra,
  };
}

export function lines(...objects: readonly unknown[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join("");
}

/** A trace of three nodes with these events. */
export function traceOf(...events: readonly Record<string, unknown>[]): Trace {
  return readTrace(lines(header(), ...events));
}

/** A commit of one row of kv. */
export function commit(
  t: number,
  n: number,
  version: number,
  options: {
    readonly key?: string;
    readonly cl?: number;
    readonly cells?: readonly (readonly [string, unknown])[];
    readonly ms?: number;
    readonly counter?: number;
    readonly actor?: string;
  } = {},
): Record<string, unknown> {
  const {
    key = "a",
    cl = 1,
    cells = [
      ["v", `${n}:${version}`],
      ["n", version],
    ],
    ms = t,
    counter = 0,
  } = options;
  const hlc = ms.toString(16).padStart(12, "0") + counter.toString(16).padStart(4, "0");
  const actor = options.actor ?? actors[n];
  return { t, k: "commit", n, actor, version, hlc, changes: [["kv", [key], cl, cells]] };
}

export function apply(
  t: number,
  n: number,
  author: number,
  version: number,
  via = "gossip",
): Record<string, unknown> {
  return { t, k: "apply", n, actor: actors[author], version, via, won: 1, lost: 0 };
}
