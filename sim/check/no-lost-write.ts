/**
 * No acknowledged write is lost. A version that no node's disk holds any more is excused only when
 * its last copy went with a torn or lost disk; then it counts as lost with the disk. What a node
 * took with it when it left is on its disk still.
 */
import type { ActorId } from "../../core/base/ids.ts";
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk, VersionRange } from "../../core/node/store.ts";
import type { SimNode } from "../host/node.ts";
import type { DiskFate } from "../scenario/scenario.ts";
import type { Check, CheckContext } from "./check.ts";
import { Held } from "./held.ts";

export class NoLostWrite implements Check {
  lost = 0;
  lostWithDisk = 0;
  readonly #context: CheckContext;
  /** Per node, what it holds since its last checkpoint: what a power loss takes. */
  readonly #unsafe: VersionRange[][] = [];
  /** Per node that is down, what its disk holds. */
  readonly #onDisk: (Held | null)[] = [];
  readonly #wentWithDisk = new Set<string>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  committed(node: SimNode, chunks: readonly Chunk[]): void {
    const { actor, version } = chunks[0] as Chunk;
    this.#unsafeOf(node).push({ actor, from: version, to: version });
  }

  stored(node: SimNode, request: StoreRequest, response: StoreResponse): void {
    if (request.type !== "receive" || response.type !== "receive") return;
    const unsafe = this.#unsafeOf(node);
    for (const outcome of response.versions) {
      if (outcome.type !== "applied") continue;
      unsafe.push({ actor: outcome.actor, from: outcome.version, to: outcome.version });
    }
    for (const range of request.overwritten) unsafe.push(range);
  }

  checkpointed(node: SimNode): void {
    this.#unsafe[node.n] = [];
  }

  booted(node: SimNode): void {
    // A process that crashed comes back to all of its data, but that made no more of it safe.
    this.#onDisk[node.n] = null;
  }

  dying(node: SimNode, fate: DiskFate | "left"): void {
    const before = heldBy(node);
    if (fate === "kept") {
      this.#onDisk[node.n] = before;
      return;
    }
    const unsafe = this.#unsafeOf(node);
    this.#unsafe[node.n] = [];
    if (fate === "left") {
      this.#onDisk[node.n] = before;
      return;
    }
    const after = fate === "lost" ? new Held([]) : heldBy(node);
    if (fate === "torn") for (const range of unsafe) after.remove(range);
    this.#onDisk[node.n] = after;
    const disks = this.#disks();
    before.without(after, (actor, version) => {
      if (!disks.some((held) => held.has(actor, version))) {
        this.#wentWithDisk.add(key(actor, version));
      }
    });
  }

  #unsafeOf(node: SimNode): VersionRange[] {
    return (this.#unsafe[node.n] ??= []);
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
  return new Held(node.store === null ? [] : node.store.holdings());
}

function key(actor: ActorId, version: number): string {
  return `${actor}:${version}`;
}
