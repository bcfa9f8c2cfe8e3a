/** One TCP connection, with or without TLS, as a pipe. */
import type { Buffer } from "node:buffer";
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { TLSSocket } from "node:tls";
import { assert } from "../../../core/base/assert.ts";
import { parseCertificate } from "../../security/certificate-info.ts";
import { formatHostPort, unmapped } from "../address.ts";
import { writeBytes } from "../limits.ts";
import { controlLane } from "../pipe.ts";
import type { CloseCode, Pipe, PipeEvents, Traffic } from "../pipe.ts";
import { Backlog } from "./backlog.ts";
import type { Reading, ReadingPipe } from "./reading.ts";
import { reasonOf } from "./tcp-errors.ts";
import {
  datagramLane,
  maxTcpDatagramBytes,
  recordHeader,
  recordHeaderBytes,
  RecordReader,
} from "./records.ts";

/** What a socket keeps before its lanes wait: enough for the path, little enough that datagrams are not late. */
const highWaterBytes = 256 * 1024;
/** A datagram that would wait behind more than this is dropped. It is more than lanes fill: else they would shut datagrams out. */
const datagramWaterBytes = 384 * 1024;

export class TcpPipe implements Pipe, ReadingPipe {
  readonly kind: "tcp" | "plaintext";
  readonly remote: string;
  readonly dialled: boolean;
  readonly maxDatagramBytes = maxTcpDatagramBytes;
  readonly rttMs = null;
  readonly resetToken = new Uint8Array(0);
  readonly startedMs = performance.now();
  certificate: X509Certificate | null = null;
  heardMs = performance.now();
  events: PipeEvents | null;
  opened = false;
  over = false;
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #records = new RecordReader();
  readonly #reading: Reading;
  readonly #backlog = new Backlog();
  readonly #onOver: (pipe: TcpPipe) => void;
  #waking = false;
  #writing = false;

  constructor(
    socket: Socket,
    remote: { readonly ip: string; readonly port: number },
    events: PipeEvents | null,
    traffic: Traffic,
    reading: Reading,
    onOver: (pipe: TcpPipe) => void,
  ) {
    this.#socket = socket;
    this.kind = socket instanceof TLSSocket ? "tcp" : "plaintext";
    this.remote = formatHostPort(unmapped(remote.ip), remote.port);
    this.dialled = events !== null;
    this.events = events;
    this.#traffic = traffic;
    this.#reading = reading;
    this.#onOver = onOver;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#data(bytes));
    socket.on("drain", () => this.#writable());
    socket.on("error", (error) => this.#broke(reasonOf(error)));
    socket.on("close", () => this.#broke("the connection was closed"));
  }

  get waitingBytes(): number {
    return this.#backlog.bytes;
  }

  handOn(most: number): number {
    return this.#backlog.take(most, (lane, part) => this.events?.data(lane, part));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get bufferedBytes(): number {
    return this.over ? 0 : this.#socket.writableLength;
  }

  /** The carrier's handshake is complete. */
  open(): void {
    assert(!this.opened, "a pipe opens once");
    if (this.over) return;
    this.opened = true;
    if (this.#socket instanceof TLSSocket) {
      const peer = this.#socket.getPeerX509Certificate();
      this.certificate = peer === undefined ? null : parseCertificate(peer.raw);
    }
    this.events?.opened();
  }

  capacity(_lane: number): number {
    if (!this.opened || this.over) return 0;
    const room = highWaterBytes - this.#socket.writableLength - recordHeaderBytes;
    return Math.max(0, Math.min(room, writeBytes));
  }

  write(lane: number, bytes: Uint8Array): void {
    this.#cork();
    this.#socket.write(recordHeader(lane, bytes.length));
    this.#socket.write(Uint8Array.from(bytes));
    this.#traffic.bytesSent += bytes.length + recordHeaderBytes;
  }

  datagram(bytes: Uint8Array): boolean {
    if (!this.opened || this.over || bytes.length > maxTcpDatagramBytes) return false;
    if (this.#socket.writableLength > datagramWaterBytes) return false;
    this.#cork();
    this.#socket.write(recordHeader(datagramLane, bytes.length));
    this.#socket.write(bytes);
    this.#traffic.bytesSent += bytes.length + recordHeaderBytes;
    return true;
  }

  wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      this.#writable();
    });
  }

  expectReset(_token: Uint8Array): void {
    // The operating system tells when the other side has restarted.
  }

  close(_code: CloseCode, _reason: string): void {
    if (this.over) return;
    this.events = null;
    this.#end();
    // What was written still goes out; whoever never reads it is cut off.
    this.#socket.end();
    this.#socket.removeAllListeners("data");
    this.#socket.resume();
    const cut = setTimeout(() => this.#socket.destroy(), 1000);
    cut.unref();
    this.#socket.once("close", () => clearTimeout(cut));
  }

  finish(reason: string): void {
    if (this.over) return;
    this.#socket.destroy();
    this.#end();
    const { events } = this;
    this.events = null;
    // A good end never comes to this: the other side's "done" is read before.
    events?.closed(null, reason);
  }

  #end(): void {
    this.over = true;
    this.#backlog.clear();
    this.#reading.forget(this);
    this.#onOver(this);
  }

  /** What came before its end is all handed on. */
  #broke(reason: string): void {
    if (!this.over) this.handOn(Number.POSITIVE_INFINITY);
    this.finish(reason);
  }

  /** Frames of one turn of the event loop leave together. */
  #cork(): void {
    if (this.#writing) return;
    this.#writing = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#writing = false;
      this.#socket.uncork();
    });
  }

  #writable(): void {
    if (this.opened && !this.over) this.events?.writable();
  }

  /** @param bytes belong to us. */
  #data(bytes: Buffer): void {
    this.#traffic.bytesReceived += bytes.length;
    this.heardMs = performance.now();
    const well = this.#records.push(
      bytes,
      (lane, part) => {
        if (lane === controlLane) this.events?.data(lane, part);
        else this.#backlog.push(lane, part);
      },
      (datagram) => this.events?.datagramReceived(datagram),
    );
    if (this.over) return;
    if (well) this.#reading.arrived(this, bytes.length);
    else this.finish("what it sends is not Patina's protocol");
  }
}
