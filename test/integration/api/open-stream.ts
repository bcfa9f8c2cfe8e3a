/** Answers that go on, read by hand. */
import { request as http1Request, type IncomingMessage } from "node:http";
import type { Served } from "./served.ts";

/** An answer whose body is read by hand. */
export function open(
  served: Pick<Served, "address">,
  method: string,
  path: string,
  body?: string,
  authorization?: string,
): Promise<IncomingMessage> {
  const [host, port] = served.address.split(":") as [string, string];
  const headers = {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(authorization === undefined ? {} : { authorization }),
  };
  return new Promise((resolve, reject) => {
    const request = http1Request({ host, port, method, path, headers, agent: false }, resolve);
    request.on("error", reject);
    request.end(body);
  });
}

/** The next lines of a live stream. */
export class Lines {
  readonly #iterator: AsyncIterator<string>;
  readonly #response: IncomingMessage;
  #text = "";

  constructor(response: IncomingMessage) {
    this.#response = response.setEncoding("utf8");
    this.#iterator = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  async next(): Promise<Record<string, unknown> | null> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return JSON.parse(line) as Record<string, unknown>;
      }
      const next = await this.#iterator.next();
      if (next.done === true) return null;
      this.#text += next.value;
    }
  }

  stop(): void {
    this.#response.destroy();
  }
}

export async function until(true_: () => boolean): Promise<void> {
  while (!true_()) await new Promise((resolve) => setTimeout(resolve, 5));
}
