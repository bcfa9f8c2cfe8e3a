/**
 * Children give way to their parent where the cores are taken: a merge may take its time, an answer
 * to a peer may not. So many steps of nice(2): about a third of the share of a core.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

const gives = 5;
const leastPriority = 19;

/**
 * Where Linux shares the cores among sessions first (sched(7), autogroup), a priority holds within one
 * alone, and what a child takes is held against its parent: the network thread waited for cores behind
 * strangers while the store of its node was busy. So each child has a session of its own, and the
 * session gives way as its threads do.
 */
export const ownSession = process.platform === "linux";

/** The kernel takes so few such wishes a second, of the whole system, that some come at a bad time. */
const againMs = 250;
const maxAttempts = 20;

/** Before the child has threads: on Linux each has a priority of its own, and begins with that of its maker. */
export function giveWay(pid: number | undefined): void {
  // It could not be started, which is told by its end.
  if (pid === undefined) return;
  try {
    setPriority(pid, lower(getPriority()));
  } catch {
    // It has ended already, or the system does not let us: then it competes with us.
  }
  if (ownSession) lowerSession(pid, maxAttempts);
}

function lower(priority: number): number {
  return Math.min(priority + gives, leastPriority);
}

function lowerSession(pid: number, attempts: number): void {
  const path = `/proc/${pid}/autogroup`;
  try {
    const own = readFileSync("/proc/self/autogroup", "latin1");
    // The child could not leave our session: its priority is ours.
    if (readFileSync(path, "latin1") === own) return;
    const [, nice = "0"] = /nice (-?\d+)/.exec(own) ?? [];
    writeFileSync(path, String(lower(Number(nice))));
  } catch (error) {
    // Else there are no such groups here, it has ended, or the system does not let us.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || attempts === 1) return;
    setTimeout(() => lowerSession(pid, attempts - 1), againMs).unref();
  }
}
