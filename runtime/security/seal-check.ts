/**
 * Checks the seals of many chunks at once. A signature that holds proves its own chunk and, by the
 * link under it, the content and seal of the chunk that its author made before; so of a run of one
 * author's chunks only the last signature is checked. Signatures are checked on libuv's threads, so
 * that whoever waits for datagrams is not kept from them; one alone, with none for some milliseconds
 * before it, is checked at once, since the way to another thread costs as much as it.
 */
import { verify } from "node:crypto";
import type { Chunk } from "../../core/node/store.ts";
import type { Author } from "./authors.ts";
import {
  chunkDigest,
  chunkMark,
  longChunkDigest,
  parseSeal,
  type Seal,
  signedBytes,
  sliceBytes,
} from "./signing.ts";

/** A seal whose author's key is known. */
interface Signed {
  readonly seal: Seal;
  readonly author: Author;
  readonly bytes: Uint8Array;
}

/** A chunk with such a seal. */
interface Entry extends Omit<Signed, "bytes"> {
  readonly digest: Buffer;
  readonly mark: string;
  /** Mark of the chunk before. */
  readonly before: string;
  proven: boolean;
  why: string | null;
}

/** Looks up keys, and remembers what was proven lately. */
export interface SealCheckOptions {
  readonly clusterId: number;
  readonly find: (keyId: string) => Author | undefined;
  /** Lets others have their turn: waited for between two slices of a payload that takes long to hash. */
  readonly giveWay: () => Promise<void>;
}

export interface SealCounts {
  /** Chunks found good. */
  proven: number;
  /** Signatures that were checked for that. */
  signatures: number;
  /** Chunks that had been proven before. */
  remembered: number;
}

/** Between two signatures that are checked at once: so they take a few percent of a core at most. */
const atOnceEveryMs = 2;

/** Marks kept of chunks proven lately: broadcast brings some twice. About 5 MiB. */
const maxRemembered = 32_768;

export class SealCheck {
  readonly #options: SealCheckOptions;
  /** Two generations: when the younger is full it becomes the older. */
  #young = new Set<string>();
  #old = new Set<string>();
  /** When a signature was last checked at once, by `performance.now()`. */
  #atOnceMs = Number.NEGATIVE_INFINITY;
  readonly counts: SealCounts = { proven: 0, signatures: 0, remembered: 0 };

  constructor(options: SealCheckOptions) {
    this.#options = options;
  }

  /** Keys that are needed for these chunks and not known. */
  unknownKeys(chunks: readonly Chunk[]): Set<string> {
    const unknown = new Set<string>();
    for (const { seal } of chunks) {
      const parsed = seal === undefined ? null : parseSeal(seal);
      if (parsed !== null && this.#options.find(parsed.keyId) === undefined) {
        unknown.add(parsed.keyId);
      }
    }
    return unknown;
  }

  /** What is wrong with each chunk; null where nothing is. Never throws for what the chunks say. */
  async check(chunks: readonly Chunk[]): Promise<readonly (string | null)[]> {
    const entries: (Entry | string)[] = [];
    for (const chunk of chunks) {
      const entry = this.#enter(chunk);
      entries.push(entry instanceof Promise ? await entry : entry);
    }
    const byMark = new Map<string, Entry>();
    for (const entry of entries) if (typeof entry !== "string") byMark.set(entry.mark, entry);
    await this.#prove(byMark);
    return entries.map((entry) => {
      if (typeof entry === "string") return entry;
      // Two copies of one chunk and its seal have one mark; what proves one proves the other.
      const { proven, why } = byMark.get(entry.mark) as Entry;
      return proven ? null : (why ?? "its signature was not checked");
    });
  }

  /** @returns what is wrong with the chunk before any signature is looked at. */
  #enter(chunk: Chunk): Entry | string | Promise<Entry> {
    if (chunk.seal === undefined) return "it is not signed";
    const seal = parseSeal(chunk.seal);
    if (seal === null) return "its seal is of no known format";
    const author = this.#options.find(seal.keyId);
    if (author === undefined) return "nobody proves whose key signed it";
    if (author.actor !== chunk.actor)
      return `it is signed by ${author.name}, who is another author`;
    const { clusterId, giveWay } = this.#options;
    const signed = { seal, author, bytes: chunk.seal };
    if (chunk.payload.length <= sliceBytes) {
      return this.#entry(signed, chunkDigest(clusterId, seal.link, chunk));
    }
    const digest = longChunkDigest(clusterId, seal.link, chunk, giveWay);
    return digest.then((known) => this.#entry(signed, known));
  }

  #entry({ seal, author, bytes }: Signed, digest: Buffer): Entry {
    const mark = chunkMark(digest, bytes);
    const before = seal.link.toString("latin1");
    const proven = this.#young.has(mark) || this.#old.has(mark);
    if (proven) this.counts.remembered++;
    return { seal, author, digest, mark, before, proven, why: null };
  }

  async #prove(byMark: ReadonlyMap<string, Entry>): Promise<void> {
    const linked = new Set<Entry>();
    for (const entry of byMark.values()) {
      const before = chunkBefore(byMark, entry);
      if (before !== undefined) linked.add(before);
    }
    let tips: Entry[] = [];
    for (const entry of byMark.values()) {
      if (entry.proven) this.#follow(byMark, entry);
      else if (!linked.has(entry)) tips.push(entry);
    }
    while (tips.length > 0) {
      const unproven = tips.filter((entry) => !entry.proven);
      const good = await this.#verify(unproven);
      this.counts.signatures += unproven.length;
      tips = [];
      for (let i = 0; i < unproven.length; i++) {
        const entry = unproven[i] as Entry;
        if (good[i] === true) {
          this.#remember(entry);
          this.#follow(byMark, entry);
          continue;
        }
        entry.why = `the signature of ${entry.author.name} does not hold`;
        // What a bad seal links to has to stand on its own.
        const before = chunkBefore(byMark, entry);
        if (before?.proven === false && before.why === null) tips.push(before);
      }
    }
  }

  #verify(entries: readonly Entry[]): readonly boolean[] | Promise<readonly boolean[]> {
    const [first] = entries;
    const nowMs = performance.now();
    if (first === undefined) return [];
    if (entries.length > 1 || nowMs - this.#atOnceMs < atOnceEveryMs) {
      return Promise.all(entries.map((entry) => verifyElsewhere(entry)));
    }
    this.#atOnceMs = nowMs;
    const { digest, author, seal } = first;
    return [verify(null, signedBytes(digest), author.publicKey, seal.signature)];
  }

  /** A proven chunk proves the one that its author says came before, and so on. */
  #follow(byMark: ReadonlyMap<string, Entry>, from: Entry): void {
    let entry = chunkBefore(byMark, from);
    while (entry?.proven === false) {
      this.#remember(entry);
      entry = chunkBefore(byMark, entry);
    }
  }

  #remember(entry: Entry): void {
    entry.proven = true;
    this.counts.proven++;
    if (this.#young.size >= maxRemembered / 2) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(entry.mark);
  }
}

/** What the entry's author says that it made before: only a chunk under the same key counts. */
function chunkBefore(byMark: ReadonlyMap<string, Entry>, entry: Entry): Entry | undefined {
  const before = byMark.get(entry.before);
  return before?.seal.keyId === entry.seal.keyId ? before : undefined;
}

function verifyElsewhere({ digest, author, seal }: Entry): Promise<boolean> {
  return new Promise((resolve) => {
    verify(null, signedBytes(digest), author.publicKey, seal.signature, (error, ok) => {
      resolve(error === null && ok);
    });
  });
}
