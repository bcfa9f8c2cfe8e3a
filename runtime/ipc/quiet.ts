/**
 * A thread that was busy and has become quiet gives back what it took meanwhile: the garbage of its start
 * or of a burst of work, and what else its owner names. V8 collects garbage as it allocates; a thread
 * that no longer allocates would keep for hours what it needed for a second.
 */
import { performance } from "node:perf_hooks";

const lookEveryMs = 5000;
/** A thread that runs for so much of its time is busy; what it took then is worth a collection. */
const busyPart = 0.2;
/** One that runs for less than this is quiet. Steady, small work lies between the two and is left alone. */
const quietPart = 0.03;
/** Code of a start is not needed again: so many quiet looks in a row, and it may go. */
const looksAfterStart = 2;
/** Clients who pause come back, to code that is compiled by then: a minute. */
const looksAfterWork = 12;

/** Tells when it is time to give back: once after each time of work. */
export class QuietWatch {
  /** A start is work. */
  #worked = true;
  #wanted = looksAfterStart;
  #quiet = 0;

  /** @param part of the time since the last look in which the thread ran, 0 to 1. */
  look(part: number): boolean {
    if (part >= busyPart) this.#worked = true;
    this.#quiet = part < quietPart ? this.#quiet + 1 : 0;
    if (!this.#worked || this.#quiet < this.#wanted) return false;
    this.#worked = false;
    this.#wanted = looksAfterWork;
    return true;
  }
}

/**
 * Collects this thread's garbage whenever it has become quiet, where the process was begun with the
 * options of `frugal.ts`: all of it, with pages of the heap that V8 would keep for later, and code that
 * has not run for a while. Takes 30 to 70 ms, more where the cores are taken: nothing for a thread
 * that answers peers. @param alsoGive what else is given back then.
 */
export function giveBackWhenQuiet(alsoGive: () => void = () => {}): void {
  const watch = new QuietWatch();
  let before = performance.eventLoopUtilization();
  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (!watch.look(utilization)) return;
    alsoGive();
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  };
  setInterval(look, lookEveryMs).unref();
}
