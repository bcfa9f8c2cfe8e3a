/**
 * Where packets are made: large buffers that are used again when the kernel has taken every packet
 * in them, so that a fast sender makes no garbage.
 */
import { Buffer } from "node:buffer";

const slabBytes = 512 * 1024;
/** Kept for later; more are left to the garbage collector. */
const maxFree = 8;

export interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Packets that the kernel has not taken yet. */
  waiting: number;
  /** Told for each packet when the kernel has taken or refused it. */
  readonly taken: (error: Error | null) => void;
}

export class PacketBuffers {
  readonly #failed: (error: Error) => void;
  readonly #free: Slab[] = [];
  #current: Slab;

  constructor(failed: (error: Error) => void) {
    this.#failed = failed;
    this.#current = this.#make();
  }

  /** The slab that has room for so many bytes after those used. */
  room(bytes: number): Slab {
    if (this.#current.used + bytes <= slabBytes) return this.#current;
    const full = this.#current;
    this.#current = this.#free.pop() ?? this.#make();
    if (full.waiting === 0) this.#release(full);
    return this.#current;
  }

  #make(): Slab {
    const slab: Slab = {
      bytes: Buffer.allocUnsafeSlow(slabBytes),
      used: 0,
      waiting: 0,
      taken: (error) => {
        slab.waiting--;
        if (slab.waiting === 0 && slab !== this.#current) this.#release(slab);
        if (error !== null) this.#failed(error);
      },
    };
    return slab;
  }

  #release(slab: Slab): void {
    slab.used = 0;
    if (this.#free.length < maxFree) this.#free.push(slab);
  }
}
