/**
 * Pushes met lately in this process, decoded. A push keeps its bytes on its whole way but for the
 * hop count, so where many replicas share a process, as in a simulation, they read the same bytes
 * over and over and pass on the same copies. A pure memo: it changes no result, and bytes that
 * differ anywhere else are read anew. It relies on what the codec relies on too: nobody writes to
 * bytes that were sent or received.
 */
import type { Chunk } from "../node/store.ts";
import { copyPush, hopsAt } from "../wire/gossip-messages.ts";

/** Direct-mapped; the newer push takes the place. */
const slots = 512;
/** Longer ones are rare, and reading them again costs little beside the rest. */
const maxBytes = 1024;
/** Copies are kept for so many hop counts; a tree is seldom deeper. */
const maxKeptHops = 24;

export class KnownPush {
  readonly chunk: Chunk;
  /** A newer program wrote more than is known here. */
  readonly unknownField: boolean;
  readonly #bytes: Uint8Array;
  /** The same push by hop count, as it was received or passed on. */
  readonly #byHops: (Uint8Array | null)[] = [];

  constructor(bytes: Uint8Array, chunk: Chunk, unknownField: boolean) {
    this.#bytes = bytes;
    this.chunk = chunk;
    this.unknownField = unknownField;
    this.#keep(bytes[hopsAt] as number, bytes);
  }

  /** Is it the push that was decoded? */
  is(push: Uint8Array): boolean {
    const hops = push[hopsAt] as number;
    if (this.#byHops[hops] === push) return true;
    const bytes = this.#bytes;
    if (bytes.length !== push.length) return false;
    // From the end: pushes differ in their payloads if in anything.
    for (let i = bytes.length - 1; i >= 0; i--)
      if (bytes[i] !== push[i] && i !== hopsAt) return false;
    return true;
  }

  /** The push with the hop count for the next receiver. */
  relayed(hops: number): Uint8Array {
    const known = this.#byHops[hops];
    if (known !== undefined && known !== null) return known;
    const copy = copyPush(this.#bytes, hops);
    this.#keep(hops, copy);
    return copy;
  }

  #keep(hops: number, bytes: Uint8Array): void {
    if (hops >= maxKeptHops) return;
    while (this.#byHops.length <= hops) this.#byHops.push(null);
    this.#byHops[hops] = bytes;
  }
}

const known: (KnownPush | null)[] = Array.from({ length: slots }, () => null);

/** Lets go of all of them: what was met in a run that is over does not come again. */
export function forgetPushes(): void {
  known.fill(null);
}

function slotOf(push: Uint8Array, version: number): number {
  // The author's first bytes and the version tell pushes apart but for the chunks of one version.
  const author = (push[hopsAt + 2] as number) | ((push[hopsAt + 3] as number) << 8);
  return (Math.imul(version, 0x9e3779b1) ^ Math.imul(author, 0x85ebca6b)) >>> 23;
}

export function findPush(push: Uint8Array, version: number): KnownPush | null {
  const candidate = known[slotOf(push, version)] as KnownPush | null;
  return candidate !== null && candidate.is(push) ? candidate : null;
}

export function keepPush(push: Uint8Array, chunk: Chunk, unknownField: boolean): KnownPush {
  const kept = new KnownPush(push, chunk, unknownField);
  if (push.length <= maxBytes) known[slotOf(push, chunk.version)] = kept;
  return kept;
}
