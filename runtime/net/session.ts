/**
 * A session is a pipe and what two nodes say on it: who they are, messages as frames, and an
 * orderly end in which no message is lost. It begins with one hello of the side that dialled and
 * one welcome or refusal of the other.
 */
import { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import { assert } from "../../core/base/assert.ts";
import type { Address } from "../../core/base/ids.ts";
import { maxFrameBytes } from "../../core/wire/limits.ts";
import { decodeControl, encodeControl } from "./control.ts";
import type { Control, Intent, Introduction } from "./control.ts";
import { FrameQueue, FrameReader } from "./frames.ts";
import {
  endingMs,
  helloTimeoutMs,
  maxControlBytes,
  maxEndingMs,
  pingAfterMs,
  silenceMs,
  writeBytes,
} from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { channels, closeCodes, controlLane, laneCount } from "./pipe.ts";
import type { CloseCode, Pipe, PipeEvents } from "./pipe.ts";
import { Pulse } from "./pulse.ts";
import type { Channel, Peer } from "./transport.ts";

/** `opening`: the carrier's handshake. `meeting`: hello was or will be said. `ready`: messages pass. `ending`: no more are sent. */
export type SessionState = "opening" | "meeting" | "ready" | "ending" | "closed";

export interface SessionOwner {
  introduction(pipe: Pipe): Introduction;
  opened(session: Session): void;
  /** The side that dialled says who it is. */
  hello(session: Session, who: Introduction, intent: Intent): void;
  welcome(session: Session, who: Introduction): void;
  /** A ping was answered. */
  rtt(session: Session, ms: number): void;
  refused(session: Session, refusal: Extract<Control, { type: "refused" }>): void;
  /** All that waited for it has been handed to the pipe. */
  drained(session: Session): void;
  message(session: Session, channel: Channel, bytes: Uint8Array): void;
  /** The last event. `clean`: everything that either side sent has arrived. */
  closed(session: Session, clean: boolean, why: string): void;
  /** The other side broke a rule, and the connection was closed for it. */
  violation(session: Session, why: string): void;
}

const scratch = Buffer.allocUnsafe(writeBytes);

export class Session implements PipeEvents {
  state: SessionState = "opening";
  /** Null until the other side has proven who it is. */
  peer: Peer | null = null;
  instance = "";
  /** For a session that this side dialled: under which address. */
  readonly dialledAs: Address | null;
  /** Which channels have carried a message of ours. */
  readonly used = new Set<Channel>();
  lastUsedMs = performance.now();
  readonly startedMs = performance.now();
  nextRttMs = 0;
  /** When the other side's certificate expires, since 1970: nobody is trusted for longer. */
  validUntilMs = Number.POSITIVE_INFINITY;
  readonly #owner: SessionOwner;
  #pipe: Pipe | null = null;
  #outbox: Outbox | null = null;
  readonly #control = new FrameQueue();
  readonly #readers: readonly FrameReader[];
  /** Frames that came before the welcome: lanes overtake one another. */
  #early: (readonly [Channel, Uint8Array])[] | null = [];
  #earlyBytes = 0;
  #framesReceived = 0;
  #byeSent = false;
  #byeReceived: number | null = null;
  #doneSent = false;
  #doneReceived = false;
  #endingSinceMs = 0;
  /** When bytes were last read or written. */
  #movedMs = 0;
  readonly #pulse = new Pulse();

  constructor(owner: SessionOwner, dialledAs: Address | null) {
    this.#owner = owner;
    this.dialledAs = dialledAs;
    this.#readers = Array.from(
      { length: laneCount },
      (_, lane) => new FrameReader(lane === controlLane ? maxControlBytes : maxFrameBytes),
    );
  }

  attach(pipe: Pipe): void {
    assert(this.#pipe === null, "a session has one pipe");
    this.#pipe = pipe;
  }

  get pipe(): Pipe {
    assert(this.#pipe !== null, "the session has its pipe");
    return this.#pipe;
  }

  get dialled(): boolean {
    return this.dialledAs !== null;
  }

  get usable(): boolean {
    return this.state === "ready";
  }

  /** See `pulse.ts`. */
  get late(): boolean {
    return this.#pulse.late;
  }

  // What the owner asks

  sayHello(intent: Intent): void {
    this.#say({ type: "hello", who: this.#owner.introduction(this.pipe), intent });
  }

  /**
   * Messages pass from now on. The side that accepted says welcome by it.
   * @param outbox whose messages are written; null: none for now.
   */
  begin(peer: Peer, who: Introduction, outbox: Outbox | null): void {
    assert(this.state === "meeting", "a session begins once, when both have met");
    this.state = "ready";
    this.peer = peer;
    this.instance = who.instance;
    const { certificate } = this.pipe;
    if (certificate !== null) this.validUntilMs = Date.parse(certificate.validTo);
    this.pipe.expectReset(who.resetToken);
    this.#outbox = outbox;
    if (!this.dialled) this.#say({ type: "welcome", who: this.#owner.introduction(this.pipe) });
    const early = this.#early ?? [];
    this.#early = null;
    for (const [channel, bytes] of early) this.#deliver(channel, bytes);
    this.pipe.wake();
  }

  writeFrom(outbox: Outbox): void {
    assert(this.#outbox === null && this.state === "ready", "a session writes from one outbox");
    this.#outbox = outbox;
    this.pipe.wake();
  }

  /** Turns the other side away; it gets the reason. */
  refuse(refusal: Omit<Extract<Control, { type: "refused" }>, "type">): void {
    this.#say({ type: "refused", ...refusal });
    this.#pump();
    this.state = "ending";
    this.#endingSinceMs = performance.now();
    // The other side closes when it has read the refusal; `look` does if it does not.
    this.pipe.wake();
  }

  /** There is something in the outbox. */
  wake(): void {
    if (this.state === "ready") this.pipe.wake();
  }

  datagram(bytes: Uint8Array): boolean {
    if (this.state !== "ready") return false;
    this.#spoke();
    this.lastUsedMs = performance.now();
    return this.pipe.datagram(bytes);
  }

  /** Asks for a sign of life, whose time is told as a round trip. */
  ping(): void {
    if (this.state === "closed" || !this.#pulse.ping(performance.now())) return;
    this.#say({ type: "ping" });
  }

  /** Begins the orderly end: what waits in the outbox stays there. */
  end(): void {
    if (this.state !== "ready" || this.#byeSent) return;
    this.state = "ending";
    this.#endingSinceMs = performance.now();
    this.pipe.wake();
  }

  /** Cuts it off. What has not arrived is lost. */
  abort(code: CloseCode, why: string): void {
    if (this.state === "closed") return;
    this.pipe.close(code, why);
    this.#finish(false, why);
  }

  /** Looks after it now and then. `slackMs`: how long this program itself stood still. */
  look(nowMs: number, slackMs: number): void {
    if (this.state === "ending") {
      const sinceMs = this.#endingSinceMs;
      // A stranger who is turned away has nothing to hand over.
      const movedMs = this.peer === null ? sinceMs : Math.max(sinceMs, this.#movedMs);
      const stuck = nowMs - movedMs > endingMs + slackMs;
      if (stuck || nowMs - sinceMs > maxEndingMs + slackMs) {
        this.abort(closeCodes.broken, "its end took too long");
        return;
      }
    }
    const met = this.state === "ready" || this.state === "ending";
    if (!met && !this.dialled && nowMs - this.startedMs > helloTimeoutMs + slackMs) {
      this.abort(closeCodes.refused, "it did not say who it is");
      return;
    }
    if (this.state === "opening") return;
    const silentMs = this.#pulse.silentMs(nowMs, this.pipe.heardMs, slackMs);
    if (silentMs > silenceMs) {
      this.abort(closeCodes.broken, "it does not answer any more");
    } else if (silentMs > pingAfterMs && this.pipe.kind !== "quic") {
      this.ping();
    }
  }

  // What the pipe tells

  opened(): void {
    assert(this.state === "opening", "a pipe opens once");
    this.state = "meeting";
    this.#owner.opened(this);
  }

  data(lane: number, bytes: Uint8Array): void {
    if (this.state === "closed") return;
    this.#movedMs = performance.now();
    const reader = this.#readers[lane];
    assert(reader !== undefined, "a pipe has the lanes of a session");
    const fits = reader.push(bytes, (frame) => {
      if (this.state === "closed") return;
      if (lane === controlLane) this.#heard(frame);
      else this.#frame(channels[lane - 1] as Channel, frame);
    });
    if (!fits) this.#violate("a frame is longer than allowed");
  }

  datagramReceived(bytes: Uint8Array): void {
    // One that overtook the welcome is lost, as datagrams may be.
    if (this.state !== "ready" && this.state !== "ending") return;
    if (this.peer === null) return;
    const channel = channels[(bytes[0] as number) - 1];
    if (channel === undefined) {
      this.#violate("a datagram of no channel");
      return;
    }
    this.lastUsedMs = performance.now();
    this.#owner.message(this, channel, bytes.subarray(1));
  }

  writable(): void {
    if (this.state !== "closed") this.#pump();
  }

  closed(code: number | null, reason: string): void {
    if (this.state === "closed") return;
    // By "done" the other side says that it has everything, and knows that this side has.
    const clean = code === closeCodes.done && this.#byeSent && this.#doneSent;
    this.#finish(clean, reason);
  }

  // Frames

  #say(control: Control): void {
    this.#control.push(encodeControl(control));
    this.pipe.wake();
  }

  #heard(frame: Uint8Array): void {
    const control = decodeControl(frame);
    if (control === null) {
      this.#violate("a control frame that is not understood");
      return;
    }
    switch (control.type) {
      case "hello":
        if (this.dialled || this.state !== "meeting" || this.instance !== "") break;
        this.instance = control.who.instance;
        this.#owner.hello(this, control.who, control.intent);
        return;
      case "welcome":
        if (!this.dialled || this.state !== "meeting") break;
        this.#owner.welcome(this, control.who);
        return;
      case "refused":
        if (!this.dialled || this.state !== "meeting") break;
        this.#owner.refused(this, control);
        return;
      case "bye":
        if (this.peer === null || this.#byeReceived !== null) break;
        this.#byeReceived = control.frames;
        if (this.state === "ready") this.end();
        this.#settle();
        return;
      case "done":
        if (!this.#byeSent) break;
        this.#doneReceived = true;
        this.#settle();
        return;
      case "ping":
        // Whoever asks reads the answers: they wait in no great number.
        if (this.#control.bytes > maxControlBytes) break;
        this.#say({ type: "pong" });
        return;
      case "pong":
        this.#ponged();
        return;
      default:
        control satisfies never;
    }
    this.#violate(`${control.type} out of turn`);
  }

  #ponged(): void {
    const ms = this.#pulse.pong(performance.now(), this.pipe.rttMs);
    if (ms !== null) this.#owner.rtt(this, ms);
  }

  #frame(channel: Channel, bytes: Uint8Array): void {
    if (this.#early !== null) {
      this.#earlyBytes += bytes.length;
      // The side that accepted has nothing to say before its welcome but what shares a flight with it.
      if (!this.dialled || this.#earlyBytes > maxFrameBytes)
        this.#violate("a message before the welcome");
      else this.#early.push([channel, bytes]);
      return;
    }
    this.#deliver(channel, bytes);
  }

  #deliver(channel: Channel, bytes: Uint8Array): void {
    this.#framesReceived++;
    this.lastUsedMs = performance.now();
    this.#owner.message(this, channel, bytes);
    this.#settle();
  }

  /** Writes what there is and what fits. */
  #pump(): void {
    this.#write(controlLane, this.#control);
    const outbox = this.#outbox;
    if (this.#byeSent) {
      this.#settle();
      return;
    }
    if (this.state === "ready") {
      if (outbox === null) return;
      let wrote = true;
      while (wrote && this.state === "ready") {
        wrote = false;
        for (const channel of channels) {
          const queue = outbox.queue(channel);
          if (queue.empty) continue;
          if (this.#write(channels.indexOf(channel) + 1, queue)) {
            wrote = true;
            this.used.add(channel);
          }
        }
      }
      if (outbox.empty) this.#owner.drained(this);
    } else if (this.state === "ending" && this.peer !== null) {
      this.#finishBegun(outbox);
    }
  }

  /** Frames that were begun are completed before the bye; the rest waits for the next connection. */
  #finishBegun(outbox: Outbox | null): void {
    let whole = true;
    let frames = 0;
    for (const channel of channels) {
      const queue = outbox?.queue(channel);
      if (queue === undefined) continue;
      if (queue.begun) this.#write(channels.indexOf(channel) + 1, queue, queue.begunBytes);
      if (queue.begun) whole = false;
      frames += queue.written;
    }
    if (!whole) return;
    this.#byeSent = true;
    this.#control.push(encodeControl({ type: "bye", frames }));
    this.#write(controlLane, this.#control);
    this.#settle();
  }

  #write(lane: number, queue: FrameQueue, most = writeBytes): boolean {
    if (queue.empty) return false;
    const room = Math.min(this.pipe.capacity(lane), most, writeBytes);
    if (room <= 0) return false;
    const bytes = queue.fill(scratch.subarray(0, room) as Buffer);
    if (bytes === 0) return false;
    this.#spoke();
    if (lane !== controlLane) this.lastUsedMs = performance.now();
    this.pipe.write(lane, scratch.subarray(0, bytes));
    return true;
  }

  #spoke(): void {
    const now = performance.now();
    this.#movedMs = now;
    this.#pulse.spoke(now, this.pipe.heardMs);
  }

  /** Moves the orderly end on: `done` when all has arrived, and the close when both have said so. */
  #settle(): void {
    if (this.#byeReceived === null || this.state !== "ending") return;
    if (this.#framesReceived > this.#byeReceived) {
      this.#violate("more frames than its bye told of");
      return;
    }
    if (this.#framesReceived === this.#byeReceived && this.#byeSent && !this.#doneSent) {
      this.#doneSent = true;
      this.#say({ type: "done" });
    }
    if (this.#doneSent && this.#doneReceived) {
      // TCP closes without a code: the other side has to read that this one has everything.
      this.#write(controlLane, this.#control);
      if (!this.#control.empty) return;
      this.pipe.close(closeCodes.done, "done");
      this.#finish(true, "done");
    }
  }

  #violate(why: string): void {
    if (this.state === "closed") return;
    this.#owner.violation(this, why);
    this.abort(closeCodes.refused, why);
  }

  #finish(clean: boolean, why: string): void {
    this.state = "closed";
    this.#early = null;
    this.#owner.closed(this, clean, why);
  }
}
