/**
 * How V8 best runs simulations: garbage is collected by the one thread that makes it, from a young
 * generation that need not grow first. With a few nodes a whole run fits into a large one, and is
 * garbage before it is ever looked at; clusters of a thousand live long, and a large young
 * generation only drives them out of the caches: it cost them a fifth of their speed.
 */
import { setFlagsFromString } from "node:v8";

/** Measured with 5 and 50. */
const fewNodes = 50;
const youngMiB = { few: 128, many: 32 } as const;

/** @param nodes of the largest cluster that is run; Infinity when it is not known. */
export function simEngineOptions(nodes: number): readonly string[] {
  const size = nodes <= fewNodes ? youngMiB.few : youngMiB.many;
  return ["--single-threaded-gc", `--min-semi-space-size=${size}`, `--max-semi-space-size=${size}`];
}

/** Threads begun from now on run so; V8 reads these when it makes their heap. */
export function tuneThreads(nodes: number): void {
  for (const option of simEngineOptions(nodes)) setFlagsFromString(option);
}
