/** What the network thread tells the main thread: trace lines together, log lines bounded. */
import type { LiveEvent } from "../observe/live-trace.ts";
import type { NetLogLevel, NetReport } from "./net-messages.ts";

/** Of one message at most so many log lines in this time: what strangers cause must not fill a disk. */
const rareEveryMs = 10_000;
const rarePerWindow = 5;

export class Reports {
  readonly #report: (report: NetReport) => void;
  #trace: LiveEvent[] = [];
  #scheduled = false;
  readonly #rare = new Map<string, { sinceMs: number; count: number }>();

  constructor(report: (report: NetReport) => void) {
    this.#report = report;
  }

  send(report: NetReport): void {
    this.#flush();
    this.#report(report);
  }

  trace(event: LiveEvent): void {
    this.#trace.push(event);
    this.#schedule();
  }

  log(level: NetLogLevel, message: string, fields: object = {}): void {
    this.send({ type: "log", level, message, fields });
  }

  /** As `log`, but of one message only some lines in a while; the last says that more follow unsaid. */
  rareLog(level: NetLogLevel, message: string, fields: object): void {
    const nowMs = performance.now();
    let window = this.#rare.get(message);
    if (window === undefined || nowMs - window.sinceMs > rareEveryMs) {
      window = { sinceMs: nowMs, count: 0 };
      this.#rare.set(message, window);
    }
    window.count++;
    if (window.count > rarePerWindow) return;
    const last = window.count === rarePerWindow ? { more: "not logged for some seconds" } : {};
    this.log(level, message, { ...fields, ...last });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#trace.length > 0) {
      const events = this.#trace;
      this.#trace = [];
      this.#report({ type: "trace", events });
    }
  }
}
