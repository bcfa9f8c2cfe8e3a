/**
 * What waits for a busy, paused or blocked process: packets and other news of the network, due
 * timers, transactions. Taken up in rounds as by an event loop: first the input that had come
 * when the round began, then what was due; so neither starves the other.
 */
import type { Event } from "../../core/node/event.ts";
import { Packet } from "../network/packet.ts";
import type { Task } from "./task.ts";
import { Queue } from "./queue.ts";

/** Datagrams that wait for the process; more are dropped, as by a full socket buffer. */
const maxDatagrams = 4096;
/** All input that waits; a peer that sends more on a stream loses its connection. */
const maxInput = 65_536;
/** Timers and transactions that wait; more transactions fail. */
const maxDue = 10_000;

/** What the network tells a process beside messages, and the operator's orders. */
export class Signal {
  readonly event: Event;

  constructor(event: Event) {
    this.event = event;
  }
}

/** A number is the token of a due timer. */
export type Item = Packet | Signal | number | Task;

export class Waiting {
  readonly #input = new Queue<Packet | Signal>();
  readonly #due = new Queue<number | Task>();
  // Lengths of both, at hand: idle nodes are asked about them for every message.
  #inputs = 0;
  #dues = 0;
  #datagrams = 0;
  #inputLeft = 0;
  #dueLeft = 0;

  /** Nothing that could be taken up now. */
  isIdle(blocked: boolean): boolean {
    return this.#dues === 0 && (blocked || this.#inputs === 0);
  }

  /** False when there is no room for the packet. */
  addPacket(packet: Packet): boolean {
    if (this.#inputs >= maxInput) return false;
    if (!packet.reliable) {
      if (this.#datagrams >= maxDatagrams) return false;
      this.#datagrams++;
    }
    this.#input.push(packet);
    this.#inputs++;
    return true;
  }

  addSignal(event: Event): void {
    this.#input.push(new Signal(event));
    this.#inputs++;
  }

  addTimer(token: number): void {
    this.#due.push(token);
    this.#dues++;
  }

  /** False when too much waits already. */
  addTask(task: Task): boolean {
    if (this.#dues >= maxDue) return false;
    this.#due.push(task);
    this.#dues++;
    return true;
  }

  /** The next round begins afresh: what has arrived comes first. */
  beginRound(): void {
    this.#inputLeft = 0;
    this.#dueLeft = 0;
  }

  /** What is to be handled next; undefined when nothing can be. */
  next(blocked: boolean): Item | undefined {
    if (this.#inputLeft === 0 && this.#dueLeft === 0) {
      this.#inputLeft = this.#inputs;
      this.#dueLeft = this.#dues;
    }
    if (blocked) this.#inputLeft = 0;
    if (this.#inputLeft > 0) {
      this.#inputLeft--;
      this.#inputs--;
      const item = this.#input.shift();
      if (item instanceof Packet && !item.reliable) this.#datagrams--;
      return item;
    }
    if (this.#dueLeft === 0) this.#dueLeft = this.#dues;
    if (this.#dueLeft === 0) return undefined;
    this.#dueLeft--;
    this.#dues--;
    return this.#due.shift();
  }

  /** Empties it, telling of each item that somebody waits for. */
  clear(each: (item: Item) => void): void {
    for (let item = this.#input.shift(); item !== undefined; item = this.#input.shift()) each(item);
    for (let item = this.#due.shift(); item !== undefined; item = this.#due.shift()) each(item);
    this.#inputs = 0;
    this.#dues = 0;
    this.#datagrams = 0;
    this.beginRound();
  }
}
