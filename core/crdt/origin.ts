/**
 * Where a piece of state comes from: one version of one actor. All cells that a version wrote
 * share one origin object, so that equality by reference is a fast path and the version's living
 * pieces can be counted in it.
 */
import { assert } from "../base/assert.ts";
import type { ActorId } from "../base/ids.ts";
import type { Hlc } from "../clock/hlc.ts";
import { Hasher } from "./state-hash.ts";

const hasher = new Hasher();

/**
 * Hashes of the actors met lately, in a direct-mapped cache: a pure memo, which spares hashing 32
 * digits for every version.
 */
const slots = 1024;
const knownActors: string[] = Array.from({ length: slots }, () => "");
const knownA = new Int32Array(slots);
const knownB = new Int32Array(slots);

function beginWithActor(actor: ActorId): void {
  const mixed = (actor.charCodeAt(31) * 31 + actor.charCodeAt(30)) * 31 + actor.charCodeAt(0);
  const slot = (mixed * 31 + actor.charCodeAt(1)) & (slots - 1);
  if (knownActors[slot] !== actor) {
    hasher.begin(0x6f726967, 0x696e0000);
    hasher.text(actor);
    knownActors[slot] = actor;
    knownA[slot] = hasher.a;
    knownB[slot] = hasher.b;
  }
  hasher.begin(knownA[slot] as number, knownB[slot] as number);
}

export class Origin {
  readonly actor: ActorId;
  readonly hlc: Hlc;
  /** 0: unknown, the state came by repair and its version is not kept here. */
  readonly version: number;
  /** What stands for (stamp, actor) in the state hash. */
  readonly seedA: number;
  readonly seedB: number;
  /** Cells, tombstones and rows of key columns alone whose state stems from this version. */
  #live = 0;
  /** Where the origin puts itself when the last of them is overwritten. */
  readonly #dead: Origin[] | null;

  constructor(actor: ActorId, hlc: Hlc, version: number, dead: Origin[] | null = null) {
    assert(version >= 0, "versions count from 1");
    this.#dead = dead;
    this.actor = actor;
    this.hlc = hlc;
    this.version = version;
    beginWithActor(actor);
    hasher.word(hlc.ms | 0);
    hasher.word(((hlc.ms / 0x1_0000_0000) << 16) | hlc.counter);
    this.seedA = hasher.a;
    this.seedB = hasher.b;
  }

  get live(): number {
    return this.#live;
  }

  /** One more piece of state stems from here, or several. */
  retain(pieces = 1): void {
    this.#live += pieces;
  }

  /** One of the pieces was overwritten, or several. */
  release(pieces = 1): void {
    this.#live -= pieces;
    assert(this.#live >= 0, "no more pieces are overwritten than were written");
    if (this.#live === 0 && this.#dead !== null) this.#dead.push(this);
  }
}

/** The order that decides last-writer-wins: stamp, then actor. Total, since no actor uses a stamp twice. */
export function compareOrigins(a: Origin, b: Origin): number {
  if (a === b) return 0;
  if (a.hlc.ms !== b.hlc.ms) return a.hlc.ms - b.hlc.ms;
  if (a.hlc.counter !== b.hlc.counter) return a.hlc.counter - b.hlc.counter;
  if (a.actor === b.actor) return 0;
  return a.actor < b.actor ? -1 : 1;
}
