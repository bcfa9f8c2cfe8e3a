/**
 * What a handler is called with. One runs at a time, whatever the node, and leaves `out` and
 * `answers` empty: what every call fills anew is the same for all nodes, and so at hand.
 */
import { assert } from "../../core/base/assert.ts";
import { type Address, address } from "../../core/base/ids.ts";
import type { Effect, Event, Now, Plane } from "../../core/node/event.ts";
import type { WallClock } from "./wall-clock.ts";

interface MessageEvent {
  type: "message";
  from: Address;
  plane: Plane;
  bytes: Uint8Array;
}

interface TimerEvent {
  type: "timer";
  token: number;
}

/** When a handler runs: its node's wall clock is read only for who asks, which few do. */
class HandlerNow implements Now {
  monoMs = 0;
  #nowUs = 0;
  #clock: WallClock | null = null;

  set(nowUs: number, clock: WallClock): void {
    this.monoMs = nowUs / 1000;
    this.#nowUs = nowUs;
    this.#clock = clock;
  }

  get wallMs(): number {
    assert(this.#clock !== null, "a handler has a clock");
    return this.#clock.read(this.#nowUs);
  }
}

export const out: Effect[] = [];
export const answers: Event[] = [];
export const now = new HandlerNow();
export const message: MessageEvent = {
  type: "message",
  from: address(""),
  plane: "swim",
  bytes: new Uint8Array(0),
};
export const timer: TimerEvent = { type: "timer", token: 0 };
