/**
 * How the processes of a node are kept small: a young generation that fits what they do, one helper
 * thread for compiler and garbage collector, one arena for malloc, large buffers given back to the system.
 * Together they take a quarter off what an idle node has for itself, and half off what joining takes. V8 and glibc read these when a process begins, and never later.
 */
import { flushCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A node that takes fifty versions a second would run code that nobody has optimized for minutes. V8's
 * first optimizing compiler (Maglev) takes a fraction of a millisecond for a function, and may
 * have it after fewer calls than V8 thinks fit for pages of the web; the second one is left alone.
 */
const soonCompiled: readonly string[] = [
  "--invocation-count-for-maglev=100",
  "--minimum-invocations-after-ic-update=50",
];

/**
 * A pause that is shared with the helper thread ends when both are done. Where the cores are taken the
 * helper may wait for one for tens of milliseconds, and so did the network thread. Alone the pause
 * takes milliseconds, as the heaps are small. Marking goes on beside: without it much more garbage waits.
 */
const pausesAlone: readonly string[] = [
  "--no-parallel-scavenge",
  "--no-parallel-marking",
  "--no-parallel-compaction",
  "--no-parallel-pointer-update",
];

/** A thread that has become quiet asks for a collection by itself (`quiet.ts`). */
const collects = "--expose-gc";

/** Young generation of the main process in MiB; see `--max-semi-space-size` of V8. */
export const mainOptions: readonly string[] = [
  "--max-semi-space-size=2",
  "--v8-pool-size=1",
  ...pausesAlone,
  collects,
  ...soonCompiled,
  // Else a node that catches up with 100,000 versions takes a third more.
  "--heap-growing-percent=100",
];

/** Of store and readers, which handle larger batches. */
export const childOptions: readonly string[] = [
  "--max-semi-space-size=4",
  "--v8-pool-size=1",
  collects,
  ...soonCompiled,
  // Else the heap of a store that merges a million rows grows to several times what is alive in it.
  "--heap-growing-percent=50",
];

/**
 * Whether compiled code is kept from one start to the next. Node.js holds what it has read of it as long as
 * a process lives, 8 MiB a node, for a tenth of the work of a start. The program as it is built does without.
 * From sources it takes types away as well, with a compiler that is 15 MiB a process, unless all that the
 * process loads is kept: the first file too, which only the environment can ask for.
 */
const keptCode: Readonly<Record<string, string>> = import.meta.url.endsWith(".ts")
  ? { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") }
  : { NODE_DISABLE_COMPILE_CACHE: "1" };

/** Says that a process was begun with the options above. */
const marker = "PATINA_FRUGAL";

export function frugalEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // Left to itself glibc learns to keep buffers of megabytes in its heap, where they leave holes.
  return {
    MALLOC_ARENA_MAX: "1",
    MALLOC_MMAP_THRESHOLD_: "131072",
    ...keptCode,
    ...env,
    [marker]: "1",
  };
}

/** A thread that has started has loaded what it needs. */
const startedMs = 2000;

/** Keeps compiled code for the next start, where it is kept: a process that is killed would not. */
export function keepCodeOnceStarted(): void {
  setTimeout(() => flushCompileCache(), startedMs).unref();
}

/**
 * Begins this process anew with the options above: same process, same command line, same id. Does
 * nothing where that was done, or where the system has no exec; then the node is only larger.
 */
export function becomeFrugal(): void {
  if (process.env[marker] !== undefined || process.execve === undefined) return;
  const [script, ...args] = process.argv.slice(1);
  if (script === undefined || process.platform === "win32") return;
  const words = [process.execPath, ...mainOptions, ...process.execArgv, script, ...args];
  process.execve(process.execPath, words, definedOnly(frugalEnvironment(process.env)));
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}
