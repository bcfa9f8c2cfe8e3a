/**
 * How many pieces of state stem from each version: when none does any more, nobody needs its
 * content. One transaction overwrites pieces of many versions, which lie far apart in the log; their
 * counts stand close together, in blocks of `patina_live`, so that few pages change.
 */
import { assert } from "../../core/base/assert.ts";
import type { StatementCache } from "./db.ts";
import { CorruptionError } from "./row-table.ts";

/** Counts of one block; log row `id` is in block `floor(id / 256)`. */
const idsPerBlock = 256;

/** Room for changes that is kept from one folding to the next; a large transaction takes more. */
const mostKept = 16_384;

/** The codes of the block at hand. */
const atHand = new Float64Array(idsPerBlock);

/** Bytes a count may take; the first byte of a block says which. */
const widths = [1, 2, 4] as const;

export class LiveCounts {
  readonly #statements: StatementCache;
  /** What is to be added to rows that are counted: log ids and pieces side by side, as they came. */
  #changedIds: Float64Array = new Float64Array(mostKept);
  #changedPieces: Float64Array = new Float64Array(mostKept);
  #changes = 0;
  /** The block that is added to, −1: none, and its codes. */
  #block = -1;
  #codes: Float64Array = atHand;
  /** Rows that are counted from now on, and what stems from them at first, side by side. */
  #bornIds: number[] = [];
  #bornPieces: number[] = [];

  constructor(statements: StatementCache) {
    this.#statements = statements;
  }

  get isEmpty(): boolean {
    return this.#changes === 0 && this.#bornIds.length === 0;
  }

  /** Log row `id` is counted from now on. */
  begin(id: number, pieces: number): void {
    this.#bornIds.push(id);
    this.#bornPieces.push(pieces);
  }

  /** Counts `pieces` more of a row that is counted. */
  add(id: number, pieces: number): void {
    const at = this.#changes++;
    if (at === this.#changedIds.length) {
      this.#changedIds = grown(this.#changedIds);
      this.#changedPieces = grown(this.#changedPieces);
    }
    this.#changedIds[at] = id;
    this.#changedPieces[at] = pieces;
  }

  /** Forgets what is not folded. */
  clear(): void {
    this.#changes = 0;
    this.#block = -1;
    if (this.#changedIds.length > mostKept) {
      this.#changedIds = new Float64Array(mostKept);
      this.#changedPieces = new Float64Array(mostKept);
    }
    this.#bornIds = [];
    this.#bornPieces = [];
  }

  fold(): void {
    if (this.isEmpty) return;
    // Versions follow each other as a rule, and fill one block after the other.
    for (let i = 0; i < this.#bornIds.length; i++) {
      this.#add(this.#bornIds[i] as number, this.#bornPieces[i] as number);
    }
    const count = this.#changes;
    for (const place of this.#placesByBlock()) {
      const i = place % count;
      this.#add(this.#changedIds[i] as number, this.#changedPieces[i] as number);
    }
    this.#put();
    this.clear();
  }

  /** `pieces` more of row `id`; those of one block follow each other. */
  #add(id: number, pieces: number): void {
    const block = Math.floor(id / idsPerBlock);
    if (block !== this.#block) {
      this.#put();
      this.#block = block;
      this.#codes = this.#read(block);
    }
    const at = id % idsPerBlock;
    const code = Math.max(1, this.#codes[at] as number) + pieces;
    assert(code >= 1, "no more pieces of a version go than there were");
    this.#codes[at] = code;
  }

  /** Writes the block that was added to last. */
  #put(): void {
    if (this.#block >= 0) this.#write(this.#block, this.#codes);
    this.#block = -1;
  }

  /** Of each change its block × the number of changes + its position, ascending: numbers alone are sorted fast. */
  #placesByBlock(): Float64Array {
    const count = this.#changes;
    const places = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      places[i] = Math.floor((this.#changedIds[i] as number) / idsPerBlock) * count + i;
    }
    places.sort();
    assert(count === 0 || Number.isSafeInteger(places[count - 1]), "a place is a safe integer");
    return places;
  }

  /** Log rows from which nothing stems any more, ascending. */
  dead(): number[] {
    const blocks = this.#statements
      .get("SELECT block FROM patina_live WHERE dead > 0 ORDER BY block")
      .pluck()
      .all() as number[];
    const ids: number[] = [];
    for (const block of blocks) {
      this.#read(block).forEach((code, at) => {
        if (code === 1) ids.push(block * idsPerBlock + at);
      });
    }
    return ids;
  }

  /** These log rows are gone, and are not counted any more. */
  forget(ids: readonly number[]): void {
    for (let from = 0; from < ids.length; ) {
      const block = Math.floor((ids[from] as number) / idsPerBlock);
      const codes = this.#read(block);
      let to = from;
      for (; to < ids.length && Math.floor((ids[to] as number) / idsPerBlock) === block; to++) {
        codes[(ids[to] as number) % idsPerBlock] = 0;
      }
      this.#write(block, codes);
      from = to;
    }
  }

  /** All rows that are counted, with their counts. Nothing may wait to be folded. */
  *all(): Generator<readonly [id: number, count: number]> {
    assert(this.isEmpty, "counts are read when they are folded");
    const blocks = this.#statements.get("SELECT block, counts FROM patina_live").raw().all();
    for (const [block, counts] of blocks as [number, Uint8Array][]) {
      const codes = decodeBlock(counts);
      for (let at = 0; at < codes.length; at++) {
        const code = codes[at] as number;
        if (code > 0) yield [block * idsPerBlock + at, code - 1];
      }
    }
  }

  /** The rows counted in the next block after `block`, as they were last folded; null: it was the last. @throws CorruptionError */
  blockAfter(block: number): { readonly block: number; readonly ids: readonly number[] } | null {
    const row = this.#statements
      .get("SELECT block, counts FROM patina_live WHERE block > ? ORDER BY block LIMIT 1")
      .raw()
      .get(block) as [number, Uint8Array] | undefined;
    if (row === undefined) return null;
    const ids: number[] = [];
    decodeBlock(row[1]).forEach((code, at) => {
      if (code > 0) ids.push(row[0] * idsPerBlock + at);
    });
    return { block: row[0], ids };
  }

  /** Codes of one block, until the next is read. */
  #read(block: number): Float64Array {
    const found = this.#statements
      .pluck("SELECT counts FROM patina_live WHERE block = ?")
      .get(block) as Uint8Array | undefined;
    return found === undefined ? atHand.fill(0) : decodeBlock(found, atHand);
  }

  #write(block: number, codes: Float64Array): void {
    let [dead, counted] = [0, 0];
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === 1) dead++;
      if (codes[i] !== 0) counted++;
    }
    if (counted === 0) this.#statements.get("DELETE FROM patina_live WHERE block = ?").run(block);
    else {
      this.#statements
        .get("REPLACE INTO patina_live VALUES (?, ?, ?)")
        .run(block, dead, encodeBlock(codes));
    }
  }
}

function grown(numbers: Float64Array): Float64Array {
  const more = new Float64Array(2 * numbers.length);
  more.set(numbers);
  return more;
}

/** A code is 0 where no row is counted, else the count and one. Zeros at the end are left out. */
function encodeBlock(codes: Float64Array): Uint8Array {
  let [most, size] = [0, 0];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code > most) most = code;
    if (code > 0) size = i + 1;
  }
  const width = widths.find((bytes) => most < 256 ** bytes);
  assert(width !== undefined, "a version has fewer than 2^32 pieces");
  const bytes = new Uint8Array(1 + size * width);
  bytes[0] = width;
  // Most versions have few pieces.
  if (width === 1) for (let i = 0; i < size; i++) bytes[1 + i] = codes[i] as number;
  else encodeWide(codes, bytes, size, width);
  return bytes;
}

function encodeWide(codes: Float64Array, bytes: Uint8Array, size: number, width: number): void {
  for (let i = 0, at = 1; i < size; i++) {
    let rest = codes[i] as number;
    for (let k = 0; k < width; k++) {
      bytes[at++] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
}

/** @param codes to fill. @throws CorruptionError */
function decodeBlock(bytes: Uint8Array, codes = new Float64Array(idsPerBlock)): Float64Array {
  // In a damaged file the column may hold anything.
  const width = bytes instanceof Uint8Array ? (bytes[0] ?? 0) : 0;
  const size = (bytes.length - 1) / width;
  const known: readonly number[] = widths;
  if (!known.includes(width) || !Number.isInteger(size) || size > idsPerBlock) {
    throw new CorruptionError("a list of what stems from versions is damaged");
  }
  if (width === 1) for (let i = 0; i < size; i++) codes[i] = bytes[1 + i] as number;
  else decodeWide(bytes, codes, width);
  return codes.fill(0, size);
}

function decodeWide(bytes: Uint8Array, codes: Float64Array, width: number): void {
  for (let i = 0, at = 1; at < bytes.length; i++) {
    let code = 0;
    for (let k = 0, scale = 1; k < width; k++, scale *= 256)
      code += (bytes[at++] as number) * scale;
    codes[i] = code;
  }
}
