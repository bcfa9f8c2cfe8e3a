/**
 * What a socket has brought for the lanes of messages and nobody has been handed yet. Datagrams and
 * what sessions say to each other share the socket with them, and are handed on as soon as they are
 * read; messages take longer to deal with, so no more of them is handed on than a turn's bound.
 */
interface Part {
  readonly lane: number;
  readonly bytes: Uint8Array;
}

export class Backlog {
  #parts: Part[] = [];
  #head = 0;
  bytes = 0;

  /** @param bytes are kept, not copied. */
  push(lane: number, bytes: Uint8Array): void {
    this.#parts.push({ lane, bytes });
    this.bytes += bytes.length;
  }

  /** Hands on `most` bytes at the most, in the order in which they came. @returns how many. */
  take(most: number, data: (lane: number, bytes: Uint8Array) => void): number {
    let left = most;
    while (left > 0 && this.bytes > 0) {
      const { lane, bytes } = this.#parts[this.#head] as Part;
      const whole = bytes.length <= left;
      if (whole) this.#next();
      else this.#parts[this.#head] = { lane, bytes: bytes.subarray(left) };
      const part = whole ? bytes : bytes.subarray(0, left);
      this.bytes -= part.length;
      left -= part.length;
      data(lane, part);
    }
    return most - left;
  }

  clear(): void {
    this.#parts = [];
    this.#head = 0;
    this.bytes = 0;
  }

  #next(): void {
    this.#head++;
    if (this.#head === this.#parts.length) {
      this.#parts.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#parts.length) {
      this.#parts.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
