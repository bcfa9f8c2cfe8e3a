/**
 * One port, three ways in: HTTP/1.1 and cleartext HTTP/2 are told apart by how a connection begins
 * (RFC 9113, section 3.3: a client with prior knowledge opens with a preface that is no HTTP/1.1
 * request); with TLS the client and the server agree by ALPN.
 */
import {
  createServer as createHttp1,
  type RequestListener,
  type Server as Http1Server,
} from "node:http";
import {
  createSecureServer,
  createServer as createHttp2,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import { createServer as createTcp, type Server as TcpServer, type Socket } from "node:net";
import { hostOf } from "../auth/listen-guard.ts";

/** The preface goes on, but these letters begin no HTTP/1.1 request. */
const prefaceStart = Buffer.from("PRI");
/** A connection that says nothing for so long is closed. */
const firstByteMs = 30_000;
/** Longer than load balancers and client pools usually keep a connection, so that they close it first. */
const keepAliveMs = 75_000;

/** Of one address; more are closed at once. */
const maxConnections = 16_384;

const http2Options = {
  settings: { maxConcurrentStreams: 1_000, initialWindowSize: 1_048_576 },
  /** Megabytes that one connection may hold in memory: bodies are bounded elsewhere. */
  maxSessionMemory: 64,
};

type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** PEM texts. */
export interface DoorTls {
  readonly cert: string;
  readonly key: string;
}

export class Doors {
  readonly http1: Http1Server;
  readonly #http2: Http2Server | Http2SecureServer;
  readonly #secure: Http2SecureServer | null;
  readonly #ports: TcpServer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(handler: RequestListener, tls: DoorTls | null) {
    this.http1 = createHttp1({ keepAliveTimeout: keepAliveMs, noDelay: true }, handler);
    // It never listens itself; this starts its check of requests that are sent too slowly.
    this.http1.emit("listening");
    const listener = handler as unknown as Http2Listener;
    this.#secure =
      tls === null
        ? null
        : createSecureServer(
            { ...http2Options, ...tls, allowHTTP1: true, minVersion: "TLSv1.2" },
            listener,
          );
    this.#http2 = this.#secure ?? createHttp2(http2Options, listener);
    this.#http2.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", ignore);
    });
    this.#http2.on("sessionError", ignore);
    this.#secure?.on("tlsClientError", ignore);
  }

  /** @param address "host:port". @returns where it listens. @throws NodeJS.ErrnoException */
  async listen(address: string): Promise<string> {
    const host = hostOf(address);
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    // A client may close its side once it has asked; its answer is sent all the same.
    const options = { noDelay: true, allowHalfOpen: true };
    const server = createTcp(options, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", ignore);
    server.maxConnections = maxConnections;
    this.#ports.push(server);
    const bound = server.address();
    const boundPort = typeof bound === "object" && bound !== null ? bound.port : port;
    return `${host.includes(":") ? `[${host}]` : host}:${boundPort}`;
  }

  /** New connections show the new certificate. */
  rotate(tls: DoorTls): void {
    this.#secure?.setSecureContext(tls);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", ignore);
    if (this.#secure === null) this.#sniff(socket);
    else this.#secure.emit("connection", socket);
  }

  #sniff(socket: Socket): void {
    const stop = (): void => void socket.destroy();
    socket.setTimeout(firstByteMs, stop);
    socket.once("end", stop);
    let held: Buffer = Buffer.alloc(0);
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk !== null) held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const known = Math.min(held.length, prefaceStart.length);
      const alike = held.subarray(0, known).equals(prefaceStart.subarray(0, known));
      if (alike && known < prefaceStart.length) {
        socket.once("readable", look);
        return;
      }
      socket.unshift(held);
      socket.setTimeout(0);
      socket.off("timeout", stop);
      socket.off("end", stop);
      (alike ? this.#http2 : this.http1).emit("connection", socket);
    };
    socket.once("readable", look);
  }

  /** Takes no more connections, and closes those on which nothing is under way. */
  stopListening(): void {
    for (const port of this.#ports) port.close();
    this.http1.closeIdleConnections();
    for (const session of this.#sessions) session.close();
  }

  /** Cuts off whoever is left. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    // Ends its checks; it never listened, which close would complain of.
    this.http1.close(ignore);
  }
}

function ignore(): void {
  // A connection that fails is the client's affair; its requests end with it.
}
