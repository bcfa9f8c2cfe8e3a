/**
 * Files that a run writes. The path is tried before the run, so that nobody waits an hour to be
 * told that the folder is missing. `.gz` is one gzip member (RFC 1952) written block by block:
 * readers in browsers take no more than one, and what was flushed stays readable after a crash.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { crc32, deflateRawSync, constants as zlib } from "node:zlib";
import { systemReason, usageError } from "./exit-codes.ts";

/** Bytes gathered before they are compressed and written. */
const blockBytes = 1 << 20;

/** @throws CliError (exit 2) naming `option`, the path and the reason, when `path` cannot be written. Leaves no file behind. */
export function assertWritable(option: string, path: string): void {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there === undefined) {
      closeSync(openSync(path, "wx"));
      unlinkSync(path);
    } else if (there.isDirectory()) {
      throw Object.assign(new Error(), { code: "EISDIR" });
    } else {
      accessSync(path, constants.W_OK);
    }
  } catch (error) {
    throw usageError(`${option}: cannot write ${path}: ${systemReason(error)}`);
  }
}

/**
 * `trace.ndjson.gz` and "17" → `trace.17.ndjson.gz`: the extension is what follows the first dot
 * of the file's name, a leading dot not counted.
 */
export function insertBeforeExtension(path: string, part: string): string {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const name = path.slice(slash + 1);
  const dot = name.indexOf(".", 1);
  const cut = dot === -1 ? path.length : slash + 1 + dot;
  return `${path.slice(0, cut)}.${part}${path.slice(cut)}`;
}

/** A text file that is written as it grows, compressed if its name ends in `.gz`. */
export class OutputFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #gzip: boolean;
  readonly #block = Buffer.allocUnsafe(blockBytes);
  #used = 0;
  #crc = 0;
  #size = 0;
  #closed = false;

  /** Creates or empties the file. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, "w");
    this.#gzip = path.endsWith(".gz");
    // Magic, deflate, no flags, no time (equal runs give equal files), no extra flags, unknown system.
    if (this.#gzip) this.#put(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]));
  }

  write(text: string): void {
    // Three bytes a UTF-16 code unit is the most that UTF-8 takes.
    if (text.length * 3 > blockBytes - this.#used) this.#flush();
    if (text.length * 3 > blockBytes) this.#pack(Buffer.from(text, "utf8"));
    else this.#used += this.#block.write(text, this.#used, "utf8");
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    if (this.#gzip) {
      // An empty last block, then the checksum and the length modulo 2^32.
      const trailer = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      trailer.writeUInt32LE(this.#crc, 2);
      trailer.writeUInt32LE(this.#size >>> 0, 6);
      this.#put(trailer);
    }
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pack(this.#block.subarray(0, this.#used));
    this.#used = 0;
  }

  #pack(bytes: Buffer): void {
    if (!this.#gzip) {
      this.#put(bytes);
      return;
    }
    this.#crc = crc32(bytes, this.#crc);
    this.#size = (this.#size + bytes.length) % 2 ** 32;
    this.#put(deflateRawSync(bytes, { finishFlush: zlib.Z_SYNC_FLUSH }));
  }

  #put(bytes: Buffer): void {
    let offset = 0;
    while (offset < bytes.length) offset += writeSync(this.#descriptor, bytes, offset);
  }
}
