/**
 * No acknowledged write is lost. A version that no node's disk holds any more is excused only when
 * its last copy went with a torn or lost disk; then it counts as lost with the disk. What a node
 * took with it when it left is on its disk still.
 */
import type { ActorId } from "../../core/base/ids.ts";
import type { SimNode } from "../host/node.ts";
import type { DiskFate } from "../scenario/scenario.ts";
import type { Check, CheckContext } from "./check.ts";
import { Held, nothingHeld } from "./held.ts";

export class NoLostWrite implements Check {
  lost = 0;
  lostWithDisk = 0;
  readonly #context: CheckContext;
  /** Per node, what is safe against power loss. */
  readonly #durable: Held[] = [];
  /** Per node that is down, what its disk holds. */
  readonly #onDisk: (Held | null)[] = [];
  /** Per node, that it last went down without losing or saving anything. */
  readonly #keptUnsafe: boolean[] = [];
  readonly #wentWithDisk = new Set<string>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  booted(node: SimNode): void {
    // A process that crashed comes back to all of its data, but that made no more of it safe.
    if (!this.#keptUnsafe[node.n]) this.#durable[node.n] = heldBy(node);
    this.#onDisk[node.n] = null;
  }

  checkpointed(node: SimNode): void {
    this.#durable[node.n] = heldBy(node);
  }

  dying(node: SimNode, fate: DiskFate | "left"): void {
    const before = heldBy(node);
    this.#keptUnsafe[node.n] = fate === "kept";
    if (fate === "kept" || fate === "left") {
      this.#onDisk[node.n] = before;
      return;
    }
    const after = fate === "lost" ? nothingHeld : (this.#durable[node.n] ?? nothingHeld);
    this.#onDisk[node.n] = after;
    const disks = this.#disks();
    before.without(after, (actor, version) => {
      if (!disks.some((held) => held.has(actor, version))) {
        this.#wentWithDisk.add(key(actor, version));
      }
    });
  }

  /** What every disk holds at this moment. */
  #disks(): Held[] {
    return this.#context.nodes.map((node) => this.#onDisk[node.n] ?? heldBy(node));
  }

  atEnd(): void {
    const disks = this.#disks();
    let example = "";
    for (const { actor, version, node } of this.#context.history.all) {
      if (disks.some((held) => held.has(actor, version))) continue;
      if (this.#wentWithDisk.has(key(actor, version))) {
        this.lostWithDisk++;
        continue;
      }
      this.lost++;
      example ||= `version ${version} of ${actor.slice(0, 8)}, committed by node ${node}`;
    }
    if (this.lost > 0) {
      this.#context.report(
        "no-lost-write",
        null,
        `${this.lost} acknowledged transactions are held by nobody: ${example}`,
      );
    }
  }
}

function heldBy(node: SimNode): Held {
  return node.store === null ? nothingHeld : new Held(node.store.holdings());
}

function key(actor: ActorId, version: number): string {
  return `${actor}:${version}`;
}
