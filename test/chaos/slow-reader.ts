/** A client that asks for much and does not read the answer. */
import { connect, type Socket } from "node:net";
import type { NodeProcess } from "../../runtime/cluster/node-process.ts";

export class SlowReader {
  readonly #socket: Socket;
  #over: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#over = new Promise((resolve) => {
      socket.once("close", () => resolve());
    });
    socket.on("error", () => socket.destroy());
  }

  /** Resolves when the question was asked. */
  static async begin({ api }: NodeProcess, sql: string): Promise<SlowReader> {
    const { hostname: host, port } = new URL(api);
    const socket = connect({ host, port: Number(port) });
    const reader = new SlowReader(socket);
    socket.pause();
    const body = JSON.stringify(sql);
    const head = [
      "POST /v1/queries?timeout=0 HTTP/1.1",
      `host: ${host}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
    ];
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.write(`${head.join("\r\n")}\r\n\r\n${body}`, () => resolve());
    });
    return reader;
  }

  /** Reads all of it after all. @returns the whole answer, headers and chunk lengths included. */
  async readAll(): Promise<string> {
    const parts: Buffer[] = [];
    this.#socket.on("data", (part: Buffer) => parts.push(part));
    this.#socket.resume();
    await this.#over;
    return Buffer.concat(parts).toString("utf8");
  }

  /** Goes away without reading. */
  drop(): void {
    this.#socket.destroy();
  }
}
