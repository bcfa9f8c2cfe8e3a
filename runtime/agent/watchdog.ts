/**
 * Looks after the parts of a node: asks the network thread for a sign of life, and how long the
 * store has been at one command. What stands still is reported, and, where that is configured, the
 * process is ended for its service manager to start it again.
 */
import type { Logger } from "../observe/logger.ts";

export interface WatchdogOptions {
  readonly stuckMs: number;
  readonly restart: boolean;
  readonly log: Logger;
  pulse(): Promise<{ readonly storeBusyMs: number }>;
  /** All is well: told at each look. */
  alive(): void;
  /** Something is stuck and the process is to be started again. */
  giveUp(what: string): void;
  /** At least so often, in ms; null: as the watchdog likes. */
  readonly everyMs: number | null;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #timer: NodeJS.Timeout;
  #askedMs: number | null = null;
  /** What was reported and is not over. */
  readonly #reported = new Set<string>();

  constructor(options: WatchdogOptions) {
    this.#options = options;
    const everyMs = Math.min(options.stuckMs / 4, options.everyMs ?? Infinity, 5000);
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    if (this.#askedMs !== null) {
      this.#judge("the network thread", nowMs - this.#askedMs);
      return;
    }
    this.#askedMs = nowMs;
    void this.#options.pulse().then(
      ({ storeBusyMs }) => {
        this.#askedMs = null;
        this.#judge("the network thread", 0);
        this.#judge("the store process", storeBusyMs);
        if (this.#reported.size === 0 || !this.#options.restart) this.#options.alive();
      },
      () => {
        this.#askedMs = null;
      },
    );
  }

  #judge(what: string, stillMs: number): void {
    const { stuckMs, restart, log } = this.#options;
    if (stillMs < stuckMs) {
      if (this.#reported.delete(what)) log.info({}, `${what} goes on`);
      return;
    }
    if (this.#reported.has(what)) return;
    this.#reported.add(what);
    log.error({ seconds: Math.round(stillMs / 1000) }, `${what} stands still`);
    if (restart) this.#options.giveUp(what);
  }
}
