/**
 * Small versions of the log, many to a row of `patina_pack`. A version is written as a row of
 * `patina_log` first, which is what its commit waits for, and comes into a pack with its neighbours
 * when these are many enough and what it did is folded.
 */
import { assert } from "../../core/base/assert.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import { Writer } from "../../core/wire/writer.ts";
import type { StatementCache } from "./db.ts";
import { PackHead, PackHeads } from "./pack-heads.ts";
import { compressFromBytes, isWholePlain, loadPayload, storePayload } from "./payload.ts";
import { CorruptionError } from "./row-table.ts";
import { UnpackedVersions } from "./unpacked-versions.ts";
import { encodeHead, HeadReader, type PackedVersion } from "./version-pack.ts";

/** Payloads from this size on stand by themselves: they compress as well alone. */
export const packBelowBytes = 16_384;

/** A pack is full with so many versions or bytes: more hardly compresses better, and is all read for one version. */
export const versionsPerPack = 512;
const bytesPerPack = 32 * 1024;

/** Content of dead versions in a pack is given back when it is more than this part. */
const wasteOfPack = 0.5;

type PackRow = readonly [first: number, last: number, head: Uint8Array];

export class PackedLog {
  readonly #statements: StatementCache;
  readonly #versionsPerPack: number;
  /** Rows of `patina_log` that wait for their pack, by id. */
  readonly #waiting = new UnpackedVersions();
  /** Their payloads and seals, end to end. */
  readonly #content = new Writer(bytesPerPack);
  /** Log rows up to this id are in packs or stay where they are. */
  #packed = 0;
  readonly #heads = new PackHeads();
  /** The content that was asked for last: contents are large, and asked for in a row. */
  #unpacked: { readonly of: PackHead; readonly bytes: Uint8Array } | null = null;

  constructor(statements: StatementCache, perPack: number) {
    assert(perPack >= 1, "a pack holds a version");
    this.#statements = statements;
    this.#versionsPerPack = perPack;
  }

  /** Log rows up to this id are in packs or stay where they are. */
  get packed(): number {
    return this.#packed;
  }

  /** Bytes of what waits. */
  get waitingBytes(): number {
    return this.#content.length;
  }

  /** A version that was written as a row of the log, as its author made it. */
  add(
    { id, version, hlc }: { readonly id: number; readonly version: number; readonly hlc: Hlc },
    actor: number,
    payload: Uint8Array,
    seal: Uint8Array | null,
  ): void {
    this.#waiting.push(id, actor, version, hlc, payload.length, seal === null ? 0 : seal.length);
    this.#content.raw(payload);
    if (seal !== null) this.#content.raw(seal);
  }

  /** Begins with what the file says. @param packed as `patina_state` has it. */
  load(packed: number): void {
    this.#packed = packed;
    this.#forgetHeads();
    this.#waiting.length = 0;
    this.#content.reset();
    const rows = this.#statements
      .get(
        "SELECT id, actor, version, ms, counter, sum, payload, seal FROM patina_log " +
          "WHERE id > ? AND count = 1 AND version > 0 AND live IS NOT NULL ORDER BY id",
      )
      .raw()
      .iterate(packed) as IterableIterator<
      [number, number, number, number, number, number, Uint8Array, Uint8Array | null]
    >;
    for (const [id, actor, version, ms, counter, sum, payload, seal] of rows) {
      // What is damaged stays where it is, and is told of when somebody asks for it.
      const head = { author: actor, version, index: 0, count: 1, ms, counter, seal };
      if (payload.length >= packBelowBytes || !isWholePlain(sum, payload, head)) continue;
      this.add({ id, version, hlc: { ms, counter } }, actor, payload, seal);
    }
  }

  /** Packs what fills packs. Everything is folded; inside its transaction. @param lastId the last log row. */
  pack(lastId: number): void {
    const waiting = this.#waiting;
    const content = this.#content.finish();
    let [from, begin] = [0, 0];
    for (let to = 0, end = 0; to < waiting.length; ) {
      end += waiting.bytesOf(to++);
      if (to - from < this.#versionsPerPack && end - begin < bytesPerPack) continue;
      this.#writePack(from, to, content.subarray(begin, end));
      [from, begin] = [to, end];
    }
    if (from > 0) {
      waiting.filter((i) => i >= from);
      this.#content.reset();
      this.#content.raw(content.subarray(begin));
    }
    this.#packed = waiting.length === 0 ? lastId : waiting.idOf(0) - 1;
  }

  /** Those that wait from position `from` to before `to`. */
  #writePack(from: number, to: number, content: Uint8Array): void {
    const waiting = this.#waiting;
    const head = waiting.headOf(from, to, content.length);
    this.#insert(waiting.idOf(from), waiting.idOf(to - 1), head, content);
    const remove = this.#statements.get("DELETE FROM patina_log WHERE id BETWEEN ? AND ?");
    for (let i = from; i < to; ) {
      const first = this.#waiting.idOf(i);
      let next = i + 1;
      while (next < to && this.#waiting.idOf(next) === first + next - i) next++;
      const { changes } = remove.run(first, first + next - i - 1);
      assert(changes === next - i, "what is packed stands in the log");
      i = next;
    }
  }

  #insert(first: number, last: number, head: Uint8Array, content: Uint8Array): void {
    const { sum, bytes } = storePayload(content, compressFromBytes, null);
    this.#statements
      .get("REPLACE INTO patina_pack VALUES (?, ?, ?, ?, ?)")
      .run(first, last, head, sum, bytes);
  }

  /** The version of log row `id`; null when it is in no pack. */
  find(id: number): PackedVersion | null {
    if (id > this.#packed) return null;
    return this.#headAt(id)?.find(id) ?? null;
  }

  /** The last version in packs whose log id is from `from` to `to`. */
  highest(from: number, to: number): PackedVersion | null {
    for (let top = Math.min(to, this.#packed); top >= from; ) {
      const head = this.#headAt(top);
      if (head === null || head.last < from) return null;
      const found = head.lastUpTo(top);
      if (found !== null) return found.id >= from ? found : null;
      top = head.first - 1;
    }
    return null;
  }

  /** @throws CorruptionError */
  content({ id, at, size, sealSize }: PackedVersion): {
    readonly payload: Uint8Array;
    readonly seal: Uint8Array | null;
  } {
    const head = this.#headAt(id);
    assert(head !== null, "a packed version has its pack");
    const content = this.#contentIn(head);
    const end = at + size;
    if (end + sealSize > content.length) {
      throw new CorruptionError(`the content of ${nameOfPack(head.first)} is cut short`);
    }
    return {
      payload: content.slice(at, end),
      seal: sealSize === 0 ? null : content.slice(end, end + sealSize),
    };
  }

  #contentIn(head: PackHead): Uint8Array {
    if (this.#unpacked?.of !== head) {
      this.#unpacked = { of: head, bytes: this.#contentOf(head.first) };
    }
    return this.#unpacked.bytes;
  }

  #contentOf(first: number): Uint8Array {
    const [sum, bytes] = this.#statements
      .get("SELECT sum, content FROM patina_pack WHERE id = ?")
      .raw()
      .get(first) as [number, Uint8Array];
    return loadPayload(sum, bytes, null, nameOfPack(first));
  }

  /** Of the pack that has log row `id`, if any has; else of the one before it. @throws CorruptionError */
  #headAt(id: number): PackHead | null {
    const known = this.#heads.find(id);
    if (known !== null) return known;
    const row = this.#rowAt(id);
    if (row === null) return null;
    const [first, last, bytes] = row;
    const kept = this.#heads.find(first);
    if (kept !== null) return kept;
    const head = new PackHead(first, last, bytes, nameOfPack(first));
    this.#heads.add(head);
    return head;
  }

  #forgetHeads(): void {
    this.#heads.clear();
    this.#unpacked = null;
  }

  #rowAt(id: number): PackRow | null {
    const row = this.#statements
      .get("SELECT id, last, head FROM patina_pack WHERE id <= ? ORDER BY id DESC LIMIT 1")
      .raw()
      .get(id) as PackRow | undefined;
    return row ?? null;
  }

  /** All that is packed, by id. @throws CorruptionError */
  *all(): Generator<PackedVersion> {
    const heads = this.#statements
      .get("SELECT id, last, head FROM patina_pack WHERE id > ? ORDER BY id LIMIT 1")
      .raw();
    for (let after = 0; ; ) {
      const row = heads.get(after) as PackRow | undefined;
      if (row === undefined) return;
      after = row[0];
      for (const reader = new HeadReader(row[2], nameOfPack(row[0])); reader.next(); ) {
        yield reader.entry();
      }
    }
  }

  /** Packs, by their first log row, that may hold log rows from `first` to `last`. */
  packsOver(first: number, last: number): readonly number[] {
    return this.#statements
      .get("SELECT id FROM patina_pack WHERE last >= ? AND id <= ? ORDER BY id")
      .pluck()
      .all(first, last) as number[];
  }

  /** Log rows in the pack that begins with log row `first`, as the file has it. @throws CorruptionError */
  idsIn(first: number): readonly number[] {
    const row = this.#rowAt(first);
    assert(row?.[0] === first, "a pack is asked for by its first log row");
    const ids: number[] = [];
    const reader = new HeadReader(row[2], nameOfPack(first));
    while (reader.next()) ids.push(reader.id);
    return ids;
  }

  /** Reads a pack's content from the file, if the pack is still there. @throws CorruptionError */
  checkContent(first: number): void {
    if (this.#rowAt(first)?.[0] === first) this.#contentOf(first);
  }

  /** Takes versions out. @param ids ascending. @returns those that were in packs. */
  remove(ids: readonly number[]): PackedVersion[] {
    const removed: PackedVersion[] = [];
    for (let from = 0; from < ids.length; ) {
      const pack = this.#headAt(ids[from] as number);
      const last = pack === null ? 0 : pack.last;
      let to = from + 1;
      while (to < ids.length && (ids[to] as number) <= last) to++;
      const gone = new Set(ids.slice(from, to));
      from = to;
      if (pack === null) continue;
      const versions = pack.versions();
      const kept = versions.filter(({ id }) => !gone.has(id));
      if (kept.length === versions.length) continue;
      removed.push(...versions.filter(({ id }) => gone.has(id)));
      this.#rewrite(pack, kept);
    }
    return removed;
  }

  /** Rows of the log that are gone wait no more. */
  forget(ids: ReadonlySet<number>): void {
    const waiting = this.#waiting;
    const content = this.#content.finish();
    this.#content.reset();
    let at = 0;
    waiting.filter((i) => {
      const end = at + waiting.bytesOf(i);
      const keep = !ids.has(waiting.idOf(i));
      if (keep) this.#content.raw(content.subarray(at, end));
      at = end;
      return keep;
    });
  }

  #rewrite(pack: PackHead, kept: readonly PackedVersion[]): void {
    const { first, contentSize } = pack;
    this.#heads.forget(pack);
    const head = kept[0];
    if (head === undefined) {
      this.#statements.get("DELETE FROM patina_pack WHERE id = ?").run(first);
      return;
    }
    const end = kept.at(-1) as PackedVersion;
    const used = kept.reduce((sum, { size, sealSize }) => sum + size + sealSize, 0);
    if (used >= contentSize * (1 - wasteOfPack)) {
      this.#statements
        .get("UPDATE patina_pack SET id = ?, last = ?, head = ? WHERE id = ?")
        .run(head.id, end.id, encodeHead(kept, contentSize), first);
      return;
    }
    const content = this.#contentIn(pack);
    const dense = new Writer(used + 1);
    const moved = kept.map((version) => {
      const at = dense.length;
      dense.raw(content.subarray(version.at, version.at + version.size + version.sealSize));
      return { ...version, at };
    });
    this.#statements.get("DELETE FROM patina_pack WHERE id = ?").run(first);
    const bytes = dense.finish();
    this.#insert(head.id, end.id, encodeHead(moved, bytes.length), bytes);
  }
}

/** For messages. */
function nameOfPack(first: number): string {
  return `the versions packed from log row ${first} on`;
}
