/**
 * How V8 best runs simulations: garbage is collected by the one thread that makes it, from a young
 * generation that need not grow first. A run leaves little alive and is over soon, so the larger
 * that generation is, the less is copied before it dies; 64 MiB (three times that as memory) is
 * where it stops to matter.
 */
import { setFlagsFromString } from "node:v8";

export const simEngineOptions: readonly string[] = [
  "--single-threaded-gc",
  "--min-semi-space-size=64",
  "--max-semi-space-size=64",
];

/** Threads begun from now on run so; V8 reads these when it makes their heap. */
export function tuneThreads(): void {
  for (const option of simEngineOptions) setFlagsFromString(option);
}
