/** Connections over TCP: with mutual TLS 1.3, or in plaintext for development on one machine. */
import { createServer as createPlainServer, connect as connectPlain } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { TLSSocket, TlsOptions } from "node:tls";
import type { Credentials } from "../credentials.ts";
import { formatHostPort, unmapped } from "../address.ts";
import { Door } from "../door.ts";
import { dialTimeoutMs, helloTimeoutMs, maxConnections, maxHandshakes } from "../limits.ts";
import type { RotatingCarrier } from "../node-transport.ts";
import type { CarrierOwner, PipeEvents } from "../pipe.ts";
import { Reading } from "./reading.ts";
import { reasonOf, turnedAway, wentAway } from "./tcp-errors.ts";
import { TcpPipe } from "./tcp-pipe.ts";

/** The protocol's name in the TLS handshake (ALPN). */
const protocolName = "patina/1";
/** Connections that the system keeps for us before we take them. */
const backlog = 511;

export class TcpCarrier implements RotatingCarrier {
  readonly kind: "tcp" | "plaintext";
  readonly traffic = { bytesSent: 0, bytesReceived: 0 };
  readonly #server: Server;
  readonly #owner: CarrierOwner;
  readonly #door = new Door();
  readonly #pipes = new Set<TcpPipe>();
  readonly #reading: Reading;
  /** Sockets whose TLS handshake goes on, by where they come from: the one that comes out of it is another object. */
  readonly #opening = new Map<string, Socket>();
  #credentials: Credentials | null;

  private constructor(owner: CarrierOwner, credentials: Credentials | null) {
    this.#owner = owner;
    this.#reading = new Reading(() => owner.behind);
    this.#credentials = credentials;
    this.kind = credentials === null ? "plaintext" : "tcp";
    this.#server =
      credentials === null
        ? createPlainServer((socket) => this.#accept(socket))
        : createTlsServer(serverOptions(credentials), (socket) => this.#accept(socket));
    if (credentials !== null) {
      this.#server.on("connection", (socket: Socket) => this.#handshake(socket));
      this.#server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
        const why = refusalOf(socket) ?? reasonOf(error);
        if (!wentAway(why)) this.#owner.handshakeRefused(remoteOf(beneath(socket)), why);
      });
    }
    this.#server.maxConnections = maxConnections;
    this.#server.on("drop", () => this.#owner.handshakeRefused("", "too many connections"));
  }

  /** @throws Error of the system when the address cannot be used. */
  static async listen(
    host: string,
    port: number,
    owner: CarrierOwner,
    credentials: Credentials | null,
  ): Promise<TcpCarrier> {
    const carrier = new TcpCarrier(owner, credentials);
    await new Promise<void>((resolve, reject) => {
      carrier.#server.once("error", reject);
      carrier.#server.listen({ host, port, backlog }, () => {
        carrier.#server.off("error", reject);
        resolve();
      });
    });
    // Later ones, such as too many open files, end no more than one connection.
    carrier.#server.on("error", (error) => owner.rejected(`${host}:${port}`, error.message));
    return carrier;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  rotate(credentials: Credentials): void {
    this.#credentials = credentials;
    // Only a server with TLS has credentials to exchange.
    (this.#server as ReturnType<typeof createTlsServer>).setSecureContext(
      serverOptions(credentials),
    );
  }

  dial(ip: string, port: number, events: PipeEvents): TcpPipe {
    const credentials = this.#credentials;
    const socket =
      credentials === null
        ? connectPlain({ host: ip, port })
        : connectTls({
            host: ip,
            port,
            ca: credentials.tls.ca,
            cert: credentials.tls.cert,
            key: credentials.tls.key,
            minVersion: "TLSv1.3",
            ALPNProtocols: [protocolName],
            // The session checks the name: by what the peer calls itself, not by what was dialled.
            checkServerIdentity: () => undefined,
          });
    const pipe = this.#pipe(socket, { ip, port }, events);
    socket.once("error", (error) => {
      const why = reasonOf(error);
      if (turnedAway(why)) this.#owner.handshakeRefused(pipe.remote, why);
    });
    const late = setTimeout(() => pipe.finish("no answer"), dialTimeoutMs);
    socket.once("close", () => clearTimeout(late));
    socket.once(credentials === null ? "connect" : "secureConnect", () => {
      clearTimeout(late);
      pipe.open();
    });
    return pipe;
  }

  look(): void {
    // Sockets have events of their own for all that may happen.
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const pipe of this.#pipes) pipe.finish("the node stops");
    this.#reading.close();
    for (const socket of this.#opening.values()) socket.destroy();
    await closed;
  }

  /** Whether anything is begun with who has just connected. */
  #knock(socket: Socket): boolean {
    const ip = socket.remoteAddress ?? "";
    socket.on("error", () => socket.destroy());
    const why =
      this.#opening.size >= maxHandshakes
        ? "too many handshakes at once"
        : this.#door.refusal(ip, performance.now());
    if (why === null) return true;
    this.#owner.handshakeRefused(remoteOf(socket), why);
    socket.destroy();
    return false;
  }

  #handshake(socket: Socket): void {
    if (!this.#knock(socket)) return;
    const remote = remoteOf(socket);
    const ip = socket.remoteAddress ?? "";
    this.#opening.set(remote, socket);
    this.#door.begin(ip);
    // A socket that a handshake left behind would stay for ever.
    const late = setTimeout(() => {
      if (this.#opening.get(remote) === socket) socket.destroy();
    }, helloTimeoutMs);
    socket.once("close", () => {
      clearTimeout(late);
      if (this.#opening.get(remote) === socket) this.#opened(remote, ip);
    });
  }

  /** A handshake is over, one way or the other. */
  #opened(remote: string, ip: string): void {
    if (this.#opening.delete(remote)) this.#door.end(ip);
  }

  #accept(socket: Socket): void {
    if (this.#credentials === null && !this.#knock(socket)) return;
    this.#opened(remoteOf(socket), socket.remoteAddress ?? "");
    const { remoteAddress = "", remotePort = 0 } = socket;
    const pipe = this.#pipe(socket, { ip: remoteAddress, port: remotePort }, null);
    const events = this.#owner.accepted(pipe);
    if (events === null) {
      pipe.finish("too many connections");
      return;
    }
    pipe.events = events;
    pipe.open();
  }

  #pipe(
    socket: Socket,
    remote: { readonly ip: string; readonly port: number },
    events: PipeEvents | null,
  ): TcpPipe {
    const pipe = new TcpPipe(socket, remote, events, this.traffic, this.#reading, (over) =>
      this.#pipes.delete(over),
    );
    this.#pipes.add(pipe);
    return pipe;
  }
}

function serverOptions(credentials: Credentials): TlsOptions {
  const { ca, cert, key } = credentials.tls;
  return {
    ca,
    cert,
    key,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
    ALPNProtocols: [protocolName],
    handshakeTimeout: helloTimeoutMs,
  };
}

/** Why the certificate of who dialled was not accepted: Node.js tells the server of a broken connection. */
function refusalOf({ authorizationError }: TLSSocket): string | null {
  // Declared as an error, it is the code of one.
  const code: unknown = authorizationError;
  return typeof code === "string" ? reasonOf(Object.assign(new Error(code), { code })) : null;
}

/** The socket below TLS, which knows still where it came from when it is closed. Not documented, so it may be missing. */
function beneath(socket: TLSSocket & { readonly _parent?: Socket | null }): Socket {
  return socket._parent ?? socket;
}

function remoteOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined
    ? ""
    : formatHostPort(unmapped(remoteAddress), remotePort ?? 0);
}
