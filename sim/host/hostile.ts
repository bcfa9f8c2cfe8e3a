/**
 * A member gone bad: beside its own traffic it sends garbage, torn and damaged copies of true
 * messages, on every plane. Nobody who receives them may crash, grow past its bounds, or believe
 * them for good.
 */
import type { Rng } from "../../core/base/rng.ts";
import { messageKinds } from "../../core/wire/kinds.ts";
import { evHostile } from "../event-kinds.ts";
import type { SimWorld } from "../world.ts";
import type { SimNode } from "./node.ts";

const maxGarbageBytes = 1200;
const kindNumbers = Object.values(messageKinds);

export class Hostile {
  readonly #world: SimWorld;
  readonly #node: SimNode;
  readonly #gapUs: number;
  readonly #rng: Rng;
  #stopped = false;

  constructor(world: SimWorld, node: SimNode, ratePerSec: number, rng: Rng) {
    this.#world = world;
    this.#node = node;
    this.#gapUs = 1e6 / ratePerSec;
    this.#rng = rng;
  }

  start(): void {
    this.#node.sender.recent = [];
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#node.sender.recent = null;
  }

  /** Its next message is due. */
  strike(): void {
    if (this.#stopped) return;
    this.#schedule();
    const node = this.#node;
    if (node.life !== "running" || node.blocked) return;
    const others = this.#world.nodes.filter((other) => other.n !== node.n);
    if (others.length === 0) return;
    const to = others[this.#rng.below(others.length)] as SimNode;
    const plane = this.#rng.below(3);
    const bytes = this.#forge(plane);
    this.#world.network.send(
      node.n,
      to.n,
      plane,
      plane !== 0 || this.#rng.below(2) === 0,
      "hostile",
      bytes,
      this.#world.kernel.nowUs,
    );
  }

  #schedule(): void {
    const atUs = this.#world.kernel.nowUs + this.#gapUs * (0.5 + this.#rng.unit());
    this.#world.kernel.schedule(atUs, evHostile, this.#node.n, 0, this.#node.boot, this);
  }

  #forge(plane: number): Uint8Array {
    const rng = this.#rng;
    const names = ["swim", "gossip", "sync"];
    const recent =
      this.#node.sender.recent?.filter((effect) => effect.plane === names[plane]) ?? [];
    const model = recent[rng.below(Math.max(1, recent.length))]?.bytes;
    if (model === undefined || model.length < 3 || rng.below(4) === 0) return this.#garbage();
    // Half a message.
    if (plane !== 0 || rng.below(2) === 0) return model.slice(0, 2 + rng.below(model.length - 2));
    // Membership carries claims, not data: any bit of it may be turned.
    const bytes = model.slice();
    for (let flips = 1 + rng.below(3); flips > 0; flips--) {
      const at = rng.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << rng.below(8));
    }
    return bytes;
  }

  /** Random bytes, half of them behind an honest envelope. */
  #garbage(): Uint8Array {
    const rng = this.#rng;
    const bytes = new Uint8Array(1 + rng.below(maxGarbageBytes));
    for (let i = 0; i < bytes.length; i++) bytes[i] = rng.below(256);
    if (rng.below(2) === 0 && bytes.length >= 2) {
      bytes[0] = 1;
      bytes[1] = kindNumbers[rng.below(kindNumbers.length)] as number;
    }
    return bytes;
  }
}
