/** Asks peers to say when they have applied a version of this node, on behalf of clients who wait for it. */
import type { Address } from "../../core/base/ids.ts";

interface PeerWait {
  readonly wanted: number;
  readonly applied: Set<Address>;
  readonly done: (result: PeerResult) => void;
  readonly timer: NodeJS.Timeout;
}

export interface PeerResult {
  readonly wanted: number;
  readonly applied: number;
}

export class PeerWaits {
  readonly #ask: (to: Address, id: number) => void;
  readonly #waits = new Map<number, PeerWait>();
  #nextId = 1;

  /** @param ask sends the question; the answer comes to `applied`. */
  constructor(ask: (to: Address, id: number) => void) {
    this.#ask = ask;
  }

  get size(): number {
    return this.#waits.size;
  }

  /** @param peers all of them are asked; the first `wanted` that answer are enough. */
  begin(
    peers: readonly Address[],
    wanted: number,
    timeoutMs: number,
    done: (result: PeerResult) => void,
  ): void {
    const id = this.#nextId++;
    if (wanted <= 0) {
      done({ wanted: 0, applied: 0 });
      return;
    }
    const timer = setTimeout(() => this.#end(id), timeoutMs);
    this.#waits.set(id, { wanted, applied: new Set(), done, timer });
    for (const peer of peers) this.#ask(peer, id);
  }

  applied(peer: Address, id: number): void {
    const wait = this.#waits.get(id);
    if (wait === undefined) return;
    wait.applied.add(peer);
    if (wait.applied.size >= wait.wanted) this.#end(id);
  }

  #end(id: number): void {
    const wait = this.#waits.get(id);
    if (wait === undefined) return;
    this.#waits.delete(id);
    clearTimeout(wait.timer);
    wait.done({ wanted: wait.wanted, applied: wait.applied.size });
  }
}
