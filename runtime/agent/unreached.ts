/**
 * What an operator looks for where a node stays alone or is not let in: whom it does not reach, and
 * why. Each address is told again only after a while, or when the reason is another.
 */
import type { Address } from "../../core/base/ids.ts";

const againMs = 300_000;
/** Remembered; past it all are forgotten, and told anew. */
const maxTold = 256;

export class Unreached {
  readonly #told = new Map<Address, { readonly why: string; readonly atMs: number }>();
  readonly #tell: (message: string, fields: object) => void;

  constructor(tell: (message: string, fields: object) => void) {
    this.#tell = tell;
  }

  /** A message was not delivered. @param alone nobody else is known to be alive. */
  note(nowMs: number, to: Address, why: string, alone: boolean): void {
    if (!alone && !why.startsWith("it turned this node away")) return;
    const told = this.#told.get(to);
    if (told?.why === why && nowMs - told.atMs < againMs) return;
    if (this.#told.size >= maxTold) this.#told.clear();
    this.#told.set(to, { why, atMs: nowMs });
    const message = alone
      ? "a node to join through is not reached"
      : "a peer does not let this node in";
    this.#tell(message, { to, why });
  }
}
