/**
 * Versions that wait for their pack, as rows of a table of numbers: thousands wait, and objects
 * that live for so long cost the garbage collector more than all else here.
 */
import type { Hlc } from "../../core/clock/hlc.ts";
import { HeadWriter } from "./version-pack.ts";

/** Numbers kept of each. */
const width = 7;

export class UnpackedVersions {
  #told = new Float64Array(64 * width);
  length = 0;

  push(
    id: number,
    actor: number,
    version: number,
    { ms, counter }: Hlc,
    size: number,
    sealSize: number,
  ): void {
    let at = this.length++ * width;
    if (at === this.#told.length) {
      const grown = new Float64Array(2 * at);
      grown.set(this.#told);
      this.#told = grown;
    }
    const told = this.#told;
    told[at++] = id;
    told[at++] = actor;
    told[at++] = version;
    told[at++] = ms;
    told[at++] = counter;
    told[at++] = size;
    told[at] = sealSize;
  }

  idOf(i: number): number {
    return this.#told[i * width] as number;
  }

  /** Bytes of its payload and seal. */
  bytesOf(i: number): number {
    const at = i * width;
    return (this.#told[at + 5] as number) + (this.#told[at + 6] as number);
  }

  /** The list of those from position `from` to before `to`, whose contents lie end to end. */
  headOf(from: number, to: number, contentSize: number): Uint8Array {
    const head = new HeadWriter(contentSize, to - from);
    const told = this.#told;
    let begin = 0;
    for (let i = from; i < to; i++) {
      const at = i * width;
      const [size, sealSize] = [told[at + 5] as number, told[at + 6] as number];
      head.add(
        told[at] as number,
        told[at + 1] as number,
        told[at + 2] as number,
        told[at + 3] as number,
        told[at + 4] as number,
        begin,
        size,
        sealSize,
      );
      begin += size + sealSize;
    }
    return head.finish();
  }

  /** Keeps those that `keep` picks, by position. */
  filter(keep: (i: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      if (!keep(i)) continue;
      const from = i * width;
      this.#told.copyWithin(kept++ * width, from, from + width);
    }
    this.length = kept;
  }
}
