/**
 * How long this thread waits for a core when it has something to do. On a machine with more to do
 * than it can, every packet and every wake-up costs many times what it does on an idle one: so what
 * can wait for company does. Linux tells the time that a thread has waited (schedstat); elsewhere
 * late timers do, which say less.
 */
import { readFileSync } from "node:fs";

/** A wait for a core up to this is none: an idle machine takes half of it. */
const calmWaitMs = 0.3;
/** Where waits are as long as this on average, the cores are taken. */
const busyWaitMs = 1;
/** The system is asked this often at the most. */
const lookEveryMs = 250;
/** So many waits at least are looked at together. */
const minWaits = 8;

/** Timers of an idle machine are as late as this: they are whole milliseconds. */
const calmLateMs = 3;
const busyLateMs = 11;
/** How much busier than that a machine may be found to be: one pause says little, and is soon forgotten. */
const maxBusy = 1.5;
/** Without news half is forgotten in this time. */
const halfLifeMs = 2000;

/** What a thread has waited for cores since it began. */
export interface Waits {
  readonly ms: number;
  readonly count: number;
}

export class Contention {
  readonly #now: () => number;
  readonly #waits: () => Waits | null;
  #seen: Waits | null;
  #lookedMs: number;
  /** Of the system or of timers, smoothed: 0 to 1. */
  #busy = 0;
  #busyMs = 0;

  /** @param now in ms, of a clock that never goes back. @param waits of this thread; null where that is not told. */
  constructor(
    now: () => number = () => performance.now(),
    waits: () => Waits | null = waitsOfThisThread,
  ) {
    this.#now = now;
    this.#waits = waits;
    this.#seen = waits();
    this.#lookedMs = now();
  }

  /** A timer came so late. */
  late(ms: number): void {
    if (this.#seen !== null) return;
    // As TCP smooths round trips (RFC 6298, section 2): one late timer changes little.
    this.#learn((ms - calmLateMs) / (busyLateMs - calmLateMs), 1 / 8);
  }

  /** From 0 on a machine that has time to 1 on one that has none. */
  get busy(): number {
    const nowMs = this.#now();
    if (this.#seen !== null && nowMs - this.#lookedMs >= lookEveryMs) this.#look(nowMs);
    return Math.min(1, Math.max(0, this.#busy * this.#remembered(nowMs)));
  }

  #look(nowMs: number): void {
    this.#lookedMs = nowMs;
    const before = this.#seen;
    const waits = this.#waits();
    if (before === null || waits === null || waits.count - before.count < minWaits) return;
    this.#seen = waits;
    const waitMs = (waits.ms - before.ms) / (waits.count - before.count);
    this.#learn((waitMs - calmWaitMs) / (busyWaitMs - calmWaitMs), 1 / 4);
  }

  #learn(busy: number, weight: number): void {
    const nowMs = this.#now();
    const known = this.#busy * this.#remembered(nowMs);
    this.#busy = known + (Math.min(maxBusy, busy) - known) * weight;
    this.#busyMs = nowMs;
  }

  #remembered(nowMs: number): number {
    return 2 ** ((this.#busyMs - nowMs) / halfLifeMs);
  }
}

/** Null where the system does not tell. Linux: proc(5), /proc/pid/schedstat. */
export function waitsOfThisThread(): Waits | null {
  try {
    const [, waitedNs, count] = readFileSync("/proc/thread-self/schedstat", "latin1").split(" ");
    const waits = { ms: Number(waitedNs) / 1e6, count: Number(count) };
    return waits.count > 0 ? waits : null;
  } catch {
    return null;
  }
}
