/**
 * A way into this process for one of its own kind, beside the pipe between parent and child: so the
 * child of one thread can be talked to by another. A local socket; who comes shows a secret first, and
 * nothing is read of anybody else.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encodeFrame, FrameReader } from "./frame.ts";

/** What is needed to come in. */
export interface DoorKey {
  readonly path: string;
  /** Base64. */
  readonly secret: string;
}

const secretBytes = 32;
/** A stranger that says nothing for so long is shown out. */
const secretMs = 10_000;

/** Frames over a connected socket, both ways. */
export class FramePipe<In> {
  readonly #socket: Socket;

  /** @param closed the other side is gone; every frame that it wrote was handed over. */
  constructor(socket: Socket, frame: (value: In) => void, closed: () => void) {
    this.#socket = socket;
    const frames = new FrameReader<In>(frame);
    socket.on("data", (piece: Buffer) => frames.push(piece));
    socket.on("error", ignore);
    socket.on("close", closed);
  }

  send(value: unknown): void {
    for (const piece of encodeFrame(value)) this.#socket.write(piece);
  }

  close(): void {
    this.#socket.destroy();
  }
}

export class SideDoor {
  readonly key: DoorKey;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #folder: string | null;

  /** @param entered somebody with the secret is here; nothing is read before it listens. */
  constructor(entered: (socket: Socket) => void, failed: (error: Error) => void) {
    const secret = randomBytes(secretBytes);
    const path = freePath();
    this.#folder = path.startsWith("/") ? dirname(path) : null;
    this.key = { path, secret: secret.toString("base64") };
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", ignore);
      checkSecret(socket, secret, entered);
    });
    this.#server.on("error", failed);
    this.#server.listen(path);
    this.#server.unref();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The socket of one that has shown the secret. */
export function enterSideDoor({ path, secret }: DoorKey): Socket {
  const socket = connect({ path });
  socket.write(Buffer.from(secret, "base64"));
  return socket;
}

/** Linux has names for sockets that are in no folder and end with their process; Windows has pipes. */
function freePath(): string {
  const name = `patina-${randomBytes(16).toString("hex")}`;
  if (process.platform === "linux") return `\0${name}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  return join(mkdtempSync(join(tmpdir(), "patina-")), "s");
}

function checkSecret(socket: Socket, secret: Buffer, entered: (socket: Socket) => void): void {
  socket.setTimeout(secretMs, () => socket.destroy());
  const look = (): void => {
    const shown = socket.read(secretBytes) as Buffer | null;
    if (shown === null) return;
    socket.off("readable", look);
    if (shown.length !== secretBytes || !timingSafeEqual(shown, secret)) {
      socket.destroy();
      return;
    }
    socket.setTimeout(0);
    entered(socket);
  };
  socket.on("readable", look);
}

function ignore(): void {
  // A connection that fails shows as its end.
}
