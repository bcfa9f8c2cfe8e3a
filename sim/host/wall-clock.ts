/** A node's wall clock: off by a skew, drifting, and jumping when it is told to. Timers do not look at it. */

/** When every run begins, by a true clock: 1 January 2026, UTC. */
export const epochWallMs = 1_767_225_600_000;

export class WallClock {
  #offsetMs: number;
  readonly #driftPpm: number;

  constructor(skewMs: number, driftPpm: number) {
    this.#offsetMs = skewMs;
    this.#driftPpm = driftPpm;
  }

  /** Milliseconds since 1970 as this node believes them; never before 1970. */
  read(nowUs: number): number {
    const ms = epochWallMs + this.#offsetMs + nowUs / 1000 + (nowUs * this.#driftPpm) / 1e9;
    return ms > 0 ? ms : 0;
  }

  jump(ms: number): void {
    this.#offsetMs += ms;
  }
}
