/** Who waits for a version to be applied here: clients of this node, and peers on behalf of theirs. */
import type { ActorId } from "../../core/base/ids.ts";

interface Wait {
  readonly version: number;
  readonly applied: () => void;
  readonly untilMs: number;
}

/** Waits at one time; more are turned away. */
export const maxWaits = 65_536;

export class VersionWaits {
  readonly #holds: (actor: ActorId, version: number) => boolean;
  readonly #waits = new Map<ActorId, Wait[]>();
  #size = 0;

  constructor(holds: (actor: ActorId, version: number) => boolean) {
    this.#holds = holds;
  }

  get size(): number {
    return this.#size;
  }

  /** Calls `applied` when the version is here, perhaps at once; never after `untilMs`. False: too many wait. */
  add(actor: ActorId, version: number, untilMs: number, applied: () => void): boolean {
    if (this.#holds(actor, version)) {
      applied();
      return true;
    }
    if (this.#size >= maxWaits) return false;
    const waits = this.#waits.get(actor);
    if (waits === undefined) this.#waits.set(actor, [{ version, applied, untilMs }]);
    else waits.push({ version, applied, untilMs });
    this.#size++;
    return true;
  }

  /** Something of this author was applied. */
  moved(actor: ActorId): void {
    const waits = this.#waits.get(actor);
    if (waits === undefined) return;
    const ready = waits.filter(({ version }) => this.#holds(actor, version));
    if (ready.length === 0) return;
    this.#keep(
      actor,
      waits.filter((wait) => !ready.includes(wait)),
      waits.length,
    );
    for (const { applied } of ready) applied();
  }

  /** Forgets those whose time is over. */
  sweep(nowMs: number): void {
    for (const [actor, waits] of this.#waits) {
      const left = waits.filter(({ untilMs }) => untilMs > nowMs);
      if (left.length < waits.length) this.#keep(actor, left, waits.length);
    }
  }

  #keep(actor: ActorId, left: Wait[], before: number): void {
    this.#size -= before - left.length;
    if (left.length === 0) this.#waits.delete(actor);
    else this.#waits.set(actor, left);
  }
}
