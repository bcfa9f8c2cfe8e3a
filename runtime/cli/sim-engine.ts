/**
 * How V8 best runs simulations: garbage is collected by the one thread that makes it, from a young
 * generation that need not grow first. With a few nodes a whole run fits into a large one, and is
 * garbage before it is ever looked at; clusters of a thousand live long, and a large young
 * generation only drives them out of the caches: it cost them a fifth of their speed.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Measured with 5 and 50. */
const fewNodes = 50;
const youngMiB = { few: 128, many: 32 } as const;

/** How large the young generation is. @param nodes of the largest cluster that is run; Infinity when it is not known. */
export function simYoungMiB(nodes: number): number {
  return nodes <= fewNodes ? youngMiB.few : youngMiB.many;
}

/** Flags of the engine for a process of its own. @param nodes as in `simYoungMiB` */
export function simEngineOptions(nodes: number): readonly string[] {
  const size = simYoungMiB(nodes);
  return ["--single-threaded-gc", `--min-semi-space-size=${size}`, `--max-semi-space-size=${size}`];
}

/** Threads begun from now on run so; V8 reads these when it makes their heap. */
export function tuneThreads(nodes: number): void {
  for (const option of simEngineOptions(nodes)) setFlagsFromString(option);
}

type Collect = (options: { readonly type: "minor" }) => void;

/** V8's collector in this thread; null until it was asked for. */
let collect: Collect | null = null;
const tidyFromBytes = 32 * 1024 * 1024;

/**
 * Empties the young generation between two runs if more than `fromBytes` of it is in use. All of a run
 * that is over is garbage, which costs nothing to leave behind; half of one under way would be copied.
 */
export function tidyUp(fromBytes: number = tidyFromBytes): void {
  if (youngBytes() <= fromBytes) return;
  collect ??= findCollector();
  collect({ type: "minor" });
}

/** Bytes of the young generation in use. */
export function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  return young?.space_used_size ?? 0;
}

/**
 * The flag counts when a context is made: this one alone has the function. It stays set, since it is the
 * whole process's: another thread may be about to make its own.
 */
function findCollector(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
