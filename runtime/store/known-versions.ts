/**
 * Who wrote which log row and when, of those met lately, as columns of numbers: tens of thousands
 * are known, and objects that live for so long cost the garbage collector more than making one of
 * these numbers again.
 */

/** A power of two; each takes 36 bytes. */
const places = 65_536;

export class KnownVersions {
  /** By the lowest bits of the id; 0: nobody. One takes another's place. */
  readonly #ids = new Float64Array(places);
  /** The author's number. */
  readonly #actors = new Int32Array(places);
  readonly #versions = new Float64Array(places);
  readonly #ms = new Float64Array(places);
  readonly #counters = new Int32Array(places);

  put(id: number, actor: number, version: number, ms: number, counter: number): void {
    const at = id & (places - 1);
    this.#ids[at] = id;
    this.#actors[at] = actor;
    this.#versions[at] = version;
    this.#ms[at] = ms;
    this.#counters[at] = counter;
  }

  /** Where log row `id` stands, for the four below; −1: it is not known. */
  at(id: number): number {
    const at = id & (places - 1);
    return this.#ids[at] === id ? at : -1;
  }

  actor(at: number): number {
    return this.#actors[at] as number;
  }

  version(at: number): number {
    return this.#versions[at] as number;
  }

  ms(at: number): number {
    return this.#ms[at] as number;
  }

  counter(at: number): number {
    return this.#counters[at] as number;
  }

  clear(): void {
    this.#ids.fill(0);
  }
}
