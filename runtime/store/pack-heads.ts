/**
 * What packs tell of their versions, kept in memory as the file has it: a few bytes a version, of
 * which a lookup reads some dozens. As objects, the versions of as many packs would take ten times the room.
 */
import { assert } from "../../core/base/assert.ts";
import { CorruptionError } from "./row-table.ts";
import { HeadReader, markSize, type PackedVersion } from "./version-pack.ts";

/** Versions from one mark to the next. */
const markEvery = 16;

/** Bytes of all heads that are kept, marks included: of some 200,000 versions that changed one row each. */
const mostBytes = 2 * 1024 * 1024;

/** Numbers of one mark, for the version that may turn out to be the one looked for. */
const here = new Float64Array(markSize);

export class PackHead {
  /** Log rows of its first and last version. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  /** When it was asked for last, as `PackHeads` counts. */
  asked = 0;
  readonly #reader: HeadReader;
  /** Where the reader stood at every 16th version, as far as it has come. */
  readonly #marks: Float64Array;
  #marked = 0;

  /** @param what for messages. @throws CorruptionError */
  constructor(first: number, last: number, head: Uint8Array, what: string) {
    this.first = first;
    this.last = last;
    this.#reader = new HeadReader(head, what);
    this.#marks = new Float64Array(Math.ceil(this.#reader.left / markEvery) * markSize);
    this.bytes = head.length + this.#marks.byteLength;
    if (!this.#reader.next()) throw new CorruptionError(`the list of ${what} is empty`);
    this.#markAt(0);
  }

  /** Of the pack's content. */
  get contentSize(): number {
    return this.#reader.contentSize;
  }

  /** The version of log row `id`, if it is one of them. */
  find(id: number): PackedVersion | null {
    const reader = this.#reader;
    let at = this.#resume(id);
    while (reader.id < id && reader.next()) this.#markAt(++at);
    return reader.id === id ? reader.entry() : null;
  }

  /** The last version with a log id up to `id`. */
  lastUpTo(id: number): PackedVersion | null {
    const reader = this.#reader;
    let at = this.#resume(id);
    if (at < 0) return null;
    while (reader.id < id) {
      reader.mark(here, 0);
      if (!reader.next()) break;
      this.#markAt(++at);
      if (reader.id > id) {
        reader.resume(here, 0);
        break;
      }
    }
    return reader.entry();
  }

  /** All of them, by id. */
  versions(): PackedVersion[] {
    const reader = this.#reader;
    reader.resume(this.#marks, 0);
    const versions = [reader.entry()];
    while (reader.next()) versions.push(reader.entry());
    return versions;
  }

  /** Stands at a mark before `id`, or at the first version. @returns which version it is; −1: the first, behind `id`. */
  #resume(id: number): number {
    let mark = this.#marked - 1;
    while (mark > 0 && (this.#marks[mark * markSize] as number) > id) mark--;
    this.#reader.resume(this.#marks, mark * markSize);
    return this.#reader.id > id ? -1 : mark * markEvery;
  }

  /** The reader has come to the version that has so many before it. */
  #markAt(at: number): void {
    if (at === this.#marked * markEvery) this.#reader.mark(this.#marks, this.#marked++ * markSize);
  }
}

/** The heads that were asked for lately. */
export class PackHeads {
  /** By their first log row. */
  #heads: PackHead[] = [];
  #bytes = 0;
  #now = 0;
  readonly #mostBytes: number;

  constructor(most: number = mostBytes) {
    this.#mostBytes = most;
  }

  /** The one whose pack spans log row `id`. */
  find(id: number): PackHead | null {
    const head = this.#heads[this.#after(id) - 1];
    if (head === undefined || head.last < id) return null;
    head.asked = ++this.#now;
    return head;
  }

  /** Keeps one that is not kept yet. */
  add(head: PackHead): void {
    head.asked = ++this.#now;
    const at = this.#after(head.first);
    assert(this.#heads[at - 1]?.first !== head.first, "a head is kept once");
    this.#heads.splice(at, 0, head);
    this.#bytes += head.bytes;
    if (this.#bytes > this.#mostBytes) this.#dropHalf();
  }

  /** The pack has changed. */
  forget({ first }: PackHead): void {
    const at = this.#after(first) - 1;
    if (this.#heads[at]?.first !== first) return;
    const [gone] = this.#heads.splice(at, 1);
    this.#bytes -= (gone as PackHead).bytes;
  }

  clear(): void {
    this.#heads = [];
    this.#bytes = 0;
  }

  /** Lets those go that nobody has asked for for longest. */
  #dropHalf(): void {
    const byAge = [...this.#heads].sort((a, b) => b.asked - a.asked);
    let bytes = 0;
    const kept = byAge.filter((head, i) => {
      bytes += head.bytes;
      return i === 0 || bytes <= this.#mostBytes / 2;
    });
    this.#heads = kept.sort((a, b) => a.first - b.first);
    this.#bytes = kept.reduce((sum, head) => sum + head.bytes, 0);
  }

  /** Where the heads of packs begin that lie wholly after log row `id`. */
  #after(id: number): number {
    let [low, high] = [0, this.#heads.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#heads[middle] as PackHead).first <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
