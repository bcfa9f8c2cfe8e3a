/**
 * An answer of lines (NDJSON) that is written as fast as its reader takes it. What the reader does
 * not take stays with the source: `drained` is to be waited for when `write` says so.
 */
import type { ServerResponse } from "node:http";

export const ndjson = "application/x-ndjson";

export class LineStream {
  readonly #response: ServerResponse;
  readonly #headers: Readonly<Record<string, string>>;
  #closed = false;
  #behind = false;
  #wake: (() => void) | null = null;
  #gone: (() => void) | null = null;

  /**
   * Nothing is sent before the first write.
   * @param gone called when the reader goes away before the end.
   */
  constructor(
    response: ServerResponse,
    headers: Readonly<Record<string, string>> = {},
    gone: (() => void) | null = null,
  ) {
    this.#response = response;
    this.#headers = headers;
    this.#gone = gone;
    response.on("drain", () => {
      this.#behind = false;
      this.#wakeUp();
    });
    response.on("close", () => {
      this.#closed = true;
      this.#wakeUp();
      this.#gone?.();
      this.#gone = null;
    });
  }

  /** Ended, or the reader is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Bytes that the reader has not taken. */
  get queuedBytes(): number {
    return this.#response.writableLength;
  }

  /** @returns false when the reader is behind. */
  write(text: string): boolean {
    if (this.#closed) return true;
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, { "content-type": ndjson, ...this.#headers });
    }
    if (!this.#response.write(text)) this.#behind = true;
    return !this.#behind;
  }

  end(text: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gone = null;
    if (!this.#response.headersSent) {
      // All there is: one write, and no chunks.
      this.#response.writeHead(200, {
        "content-type": ndjson,
        ...this.#headers,
        "content-length": Buffer.byteLength(text),
      });
    }
    this.#response.end(text);
  }

  /** Cuts off a reader that does not take the end of its answer in time. */
  destroyAfter(ms: number): void {
    const timer = setTimeout(() => this.#response.destroy(), ms);
    timer.unref();
    this.#response.on("close", () => clearTimeout(timer));
  }

  /** Ends when the reader has caught up, or is gone. @returns false when it took nothing for so long. */
  drained(patienceMs: number): Promise<boolean> {
    if (this.#closed || !this.#behind) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = null;
        resolve(false);
      }, patienceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
