/** What a store in memory keeps of one actor's versions: contents, markers, parts. */
import { assert } from "../../core/base/assert.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import type { ActorId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import { Origin } from "../../core/crdt/origin.ts";
import type { ActorHoldings, Chunk, PartialHolding } from "../../core/node/store.ts";

/** A version held whole, with its content: itself the origin of the state that stems from it. */
export class StoredVersion extends Origin {
  readonly log: VersionLog;
  readonly chunks: readonly Chunk[];
  /** Why it is not applied; null when it is. */
  quarantined: string | null = null;

  /** `dead`: where it puts itself when the last living piece of it is overwritten. */
  constructor(
    log: VersionLog,
    hlc: Hlc,
    version: number,
    chunks: readonly Chunk[],
    dead: StoredVersion[],
  ) {
    super(log.actor, hlc, version, dead as Origin[]);
    this.log = log;
    this.chunks = chunks;
  }
}

/** A version of which chunks are missing. */
export interface PartialVersion {
  readonly log: VersionLog;
  readonly first: Chunk;
  readonly chunks: Map<number, Chunk>;
  readonly have: IntervalSet;
  /** Already listed in the answer to the call that is under way. */
  listed: boolean;
}

export class VersionLog {
  readonly actor: ActorId;
  /** Held whole, as content or as marker. */
  readonly held = new IntervalSet();
  /** Of those, the ones whose content is gone. */
  readonly overwritten = new IntervalSet();
  /** Held, in whatever way, since the last checkpoint: what a power loss may take. */
  readonly unsafe = new IntervalSet();
  readonly versions = new Map<number, StoredVersion>();
  readonly partials = new Map<number, PartialVersion>();

  constructor(actor: ActorId) {
    this.actor = actor;
  }

  /** The highest version of which anything is held; 0 for none. */
  get head(): number {
    let head = this.held.max ?? 0;
    for (const version of this.partials.keys()) head = Math.max(head, version);
    return head;
  }

  keep(stored: StoredVersion): void {
    const { version } = stored;
    const added = this.held.add(version);
    assert(added === 1, "a version is kept once");
    this.versions.set(version, stored);
    if (this.partials.size > 0) this.partials.delete(version);
  }

  /** Versions `from` to `to` that are not held count as held from now on, their content gone. */
  mark(from: number, to: number): void {
    for (const [low, high] of this.held.gaps(from, to)) {
      this.overwritten.add(low, high);
      this.held.add(low, high);
    }
    for (const version of this.partials.keys()) {
      if (version >= from && version <= to) this.partials.delete(version);
    }
  }

  /** Drops the content of a version that is fully overwritten, unless that was done before. */
  shrink(stored: StoredVersion): void {
    assert(stored.log === this && stored.live === 0, "what is dropped is overwritten");
    if (this.versions.delete(stored.version)) this.overwritten.add(stored.version);
  }

  holdings(): ActorHoldings {
    const partial: PartialHolding[] = [];
    for (const [version, { first, have }] of this.partials) {
      partial.push({ version, count: first.count, have: have.ranges() });
    }
    partial.sort((a, b) => a.version - b.version);
    const { head } = this;
    if (partial.length === 0) {
      return { actor: this.actor, head, gaps: this.held.gapsBelow(head), partial };
    }
    const known = this.held.clone();
    for (const { version } of partial) known.add(version);
    return { actor: this.actor, head, gaps: known.gapsBelow(head), partial };
  }
}
