/**
 * How long packets may be on the way to a host: before the first connection, packets of several
 * sizes are sent, and whichever arrive are confirmed with a short answer (compare RFC 8899). They are
 * no QUIC packets and carry no meaning beyond their length. A path that shrinks later is noticed by
 * the connection itself (`quic-pipe.ts`).
 *
 *     probe   1 byte 0x01, "patina" , 8 bytes nonce, padding
 *     answer  1 byte 0x02, "patina" , 8 bytes nonce, 2 bytes the probe's length
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback, unmapped } from "../address.ts";
import { basePacketBytes, maxPacketBytes, wellKnownBytes } from "./packets.ts";

const mark = Buffer.from("patina");
const nonceBytes = 8;
const headBytes = 1 + mark.length + nonceBytes;
const answerBytes = headBytes + 2;

/** Paths with longer packets are short: whoever is farther away than this is not waited for. */
const waitMs = 50;
const rememberedMs = 600_000;
/** Nobody answered: it may not have run. */
const forgottenMs = 30_000;
const maxRemembered = 4096;
/** Answers a second, whoever asks. */
const maxAnswersPerSecond = 500;

export type SendPacket = (packet: Uint8Array, ip: string, port: number) => void;

interface Measurement {
  readonly target: string;
  readonly largest: number;
  found: number;
  readonly done: (bytes: number) => void;
}

export class PathProbes {
  readonly #maxBytes: number;
  readonly #send: SendPacket;
  readonly #known = new Map<string, { readonly bytes: number; readonly untilMs: number }>();
  readonly #open = new Map<string, Measurement>();
  #second = 0;
  #answers = 0;

  /** @param maxBytes nothing longer is tried */
  constructor(maxBytes: number, send: SendPacket) {
    this.#maxBytes = maxBytes;
    this.#send = send;
  }

  /** The longest packet that is known to pass, without asking. */
  known(ip: string, nowMs: number): number | null {
    const known = this.#known.get(ip);
    return known !== undefined && known.untilMs > nowMs ? known.bytes : null;
  }

  /** Calls `done` once, after `waitMs` at the latest. */
  measure(ip: string, port: number, nowMs: number, done: (bytes: number) => void): void {
    if (isLocal(unmapped(ip)) && interfaceBytes("lo") >= maxPacketBytes + 48) {
      // Nothing to find out: packets do not leave the machine.
      this.learn(ip, maxPacketBytes, nowMs);
      done(maxPacketBytes);
      return;
    }
    const sizes = sizesFor(ip).filter((size) => size <= this.#maxBytes);
    const largest = sizes[0];
    if (largest === undefined) {
      done(basePacketBytes);
      return;
    }
    const nonce = randomBytes(nonceBytes);
    const key = nonce.toString("hex");
    const finish = (bytes: number): void => {
      clearTimeout(timer);
      this.#open.delete(key);
      this.learn(ip, bytes, nowMs, bytes === basePacketBytes ? forgottenMs : rememberedMs);
      done(bytes);
    };
    const measurement: Measurement = { target: ip, largest, found: basePacketBytes, done: finish };
    const expired = (): void => {
      if (this.#open.has(key)) finish(measurement.found);
    };
    // A loop that was busy comes to its timers first: what has arrived meanwhile is read before this.
    const timer = setTimeout(() => setImmediate(expired), waitMs);
    this.#open.set(key, measurement);
    for (const size of sizes) this.#send(encodeProbe(nonce, size), ip, port);
  }

  learn(ip: string, bytes: number, nowMs: number, forMs = rememberedMs): void {
    if (this.#known.size >= maxRemembered) this.#known.clear();
    this.#known.set(ip, { bytes, untilMs: nowMs + forMs });
  }

  /** A packet that is not QUIC. @returns whether it was a probe or an answer. */
  received(packet: Uint8Array, ip: string, port: number, nowMs: number): boolean {
    if (packet.length < answerBytes || !mark.equals(packet.subarray(1, 1 + mark.length))) {
      return false;
    }
    if (packet[0] === 1) {
      this.#answer(packet, ip, port, nowMs);
      return true;
    }
    const answer = decodeAnswer(packet);
    if (answer === null) return false;
    const open = this.#open.get(answer.nonce);
    if (open === undefined) return true;
    const { bytes } = answer;
    if (bytes > open.found && bytes <= open.largest) open.found = bytes;
    if (open.found === open.largest) open.done(open.found);
    return true;
  }

  #answer(probe: Uint8Array, ip: string, port: number, nowMs: number): void {
    // Longer ones would pass, but this node takes none.
    if (probe.length > this.#maxBytes) return;
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#answers = 0;
    }
    if (++this.#answers > maxAnswersPerSecond) return;
    const answer = Buffer.alloc(answerBytes);
    answer.set(probe.subarray(0, headBytes));
    answer[0] = 2;
    answer.writeUInt16BE(probe.length, headBytes);
    this.#send(answer, ip, port);
  }
}

/** @param nonce 8 bytes. @param bytes how long the packet is: 17 or more. */
export function encodeProbe(nonce: Uint8Array, bytes: number): Buffer {
  const probe = Buffer.alloc(bytes);
  probe[0] = 1;
  probe.set(mark, 1);
  probe.set(nonce, 1 + mark.length);
  return probe;
}

/** The nonce, in hexadecimal digits, and the length of the probe that was answered; null: it is no answer. */
export function decodeAnswer(
  packet: Uint8Array,
): { readonly nonce: string; readonly bytes: number } | null {
  if (packet[0] !== 2 || packet.length !== answerBytes) return null;
  if (!mark.equals(packet.subarray(1, 1 + mark.length))) return null;
  const view = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
  const nonce = view.toString("hex", 1 + mark.length, headBytes);
  return { nonce, bytes: view.readUInt16BE(headBytes) };
}

/** Longest first. Longer than what the machine's own interfaces carry is not tried: it would be cut in pieces, not lost. */
function sizesFor(ip: string): readonly number[] {
  const host = unmapped(ip);
  if (isLocal(host)) return [maxPacketBytes];
  const most = interfaceBytes(null) - (isIPv6(host) ? 48 : 28);
  return wellKnownBytes.filter((bytes) => bytes <= most).toReversed();
}

/** Whether packets to this address stay on this machine. */
function isLocal(ip: string): boolean {
  return (
    isLoopback(ip) ||
    Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some(({ address }) => address === ip),
    )
  );
}

/** The longest packet of an interface, or of any real one, where the system tells (Linux); Ethernet's elsewhere. */
function interfaceBytes(only: string | null): number {
  let most = 0;
  try {
    for (const name of readdirSync("/sys/class/net")) {
      if (only === null ? name === "lo" : name !== only) continue;
      const bytes = Number(readFileSync(`/sys/class/net/${name}/mtu`, "utf8"));
      if (bytes > most) most = bytes;
    }
  } catch {
    return 1500;
  }
  return most === 0 ? 1500 : most;
}
