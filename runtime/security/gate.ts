/**
 * Stands between the transport and the replica where versions are signed: what is not proven to be
 * its author's never gets as far as the replica, so it is neither applied nor passed on. Messages of
 * one peer and channel stay in order; those that carry no versions wait for nobody unless others of
 * the same peer and channel are before them. Datagrams of the membership never come here.
 *
 * What travels without a signature is dealt with here too: row states (repair) are turned away,
 * since nothing proves whose they are; markers need a witness (`marker-witness.ts`).
 */
import type { Address } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";
import { decodeMessage, kindOf } from "../../core/wire/envelope.ts";
import { gossipDecoders, maxGossipBytes } from "../../core/wire/gossip-messages.ts";
import { encodeDone, maxSyncBytes, syncDecoders } from "../../core/wire/sync-messages.ts";
import type { Peer } from "../net/transport.ts";
import { MarkerWitnesses } from "./marker-witness.ts";
import { chunkCost, type Pace } from "./pace.ts";
import type { SealCheck } from "./seal-check.ts";

/** The channels that carry versions. */
export type GatedChannel = "gossip" | "sync";

export interface GateOptions {
  readonly check: SealCheck;
  /** Shared with `check`. */
  readonly pace: Pace;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** To the replica. `more`: others follow at once. */
  readonly deliver: (from: Peer, channel: GatedChannel, bytes: Uint8Array, more: boolean) => void;
  /** Asks a peer to prove keys, by their ids; `learnt` is to be called when it did. */
  readonly ask: (peer: Address, keyIds: readonly string[]) => void;
  /** For log, metric and alarm: `count` chunks or messages of this peer were turned away. */
  readonly rejected: (from: Peer, why: string, count: number) => void;
  /** Other members that are believed to be up. */
  readonly others: () => number;
}

export interface GateStats {
  /** Chunks, or messages without any, turned away. */
  readonly rejected: number;
  /** Messages dropped because too many waited. */
  readonly overflowed: number;
  readonly waiting: number;
}

interface Item {
  readonly from: Peer;
  readonly channel: GatedChannel;
  readonly bytes: Uint8Array;
}

/** A message whose chunks are being checked. */
interface Checked {
  readonly item: Item;
  /** Null: its peer is not listened to, and its chunks are not looked at. */
  readonly chunks: readonly Chunk[] | null;
}

/** What waits of one peer and channel, and how it behaved. */
interface Lane {
  items: Item[];
  bytes: number;
  busy: boolean;
}

interface Conduct {
  /** Until then its versions are turned away unread. */
  untilMs: number;
  penaltyMs: number;
}

/** Bytes that wait of one peer and channel. Overflow policy: more is dropped; anti-entropy brings it again. */
const maxLaneBytes = 16 * 1024 * 1024;
/** A peer that sent a version whose author does not prove it is not listened to for so long, doubled each time. */
const firstPenaltyMs = 1000;
const maxPenaltyMs = 60_000;
/** How long a proof of a key is waited for; after that the key counts as nobody's for as long. */
export const proofWaitMs = 2000;
/** Keys that nobody proved. Overflow policy: all are forgotten, and are asked for again. */
const maxUnprovenKeys = 4096;
const maxPeers = 4096;

export class SealGate {
  readonly #options: GateOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #conduct = new Map<Address, Conduct>();
  readonly #witnesses = new MarkerWitnesses();
  /** Until when a key that nobody proved is not asked for again. */
  readonly #unproven = new Map<string, number>();
  /** Called when keys were learnt. */
  #wakeUps: (() => void)[] = [];
  #rejected = 0;
  #overflowed = 0;
  #waiting = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  stats(): GateStats {
    return { rejected: this.#rejected, overflowed: this.#overflowed, waiting: this.#waiting };
  }

  /** More has arrived than is checked in a turn. It is about to be: nobody else has to do anything for it. */
  get behind(): boolean {
    return this.#options.pace.behind;
  }

  message(from: Peer, channel: GatedChannel, bytes: Uint8Array): void {
    const name = `${channel} ${from.address}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      if (!needsCheck(bytes)) {
        this.#options.deliver(from, channel, bytes, false);
        return;
      }
      lane = { items: [], bytes: 0, busy: false };
      this.#lanes.set(name, lane);
    }
    if (lane.items.length > 0 && lane.bytes + bytes.length > maxLaneBytes) {
      this.#overflowed++;
      return;
    }
    lane.items.push({ from, channel, bytes });
    lane.bytes += bytes.length;
    this.#waiting++;
    if (!lane.busy) void this.#run(name, lane);
  }

  /** Keys were proven: what waits for them goes on. */
  learnt(): void {
    this.#unproven.clear();
    const wakeUps = this.#wakeUps;
    this.#wakeUps = [];
    for (const wakeUp of wakeUps) wakeUp();
  }

  async #run(name: string, lane: Lane): Promise<void> {
    lane.busy = true;
    // What one turn of the event loop brings is checked, applied and passed on together.
    await Promise.resolve();
    while (lane.items.length > 0) await this.#batch(lane);
    // A lane is there only while something waits in it, so that all others go straight through.
    this.#lanes.delete(name);
  }

  /** Checks what waits at the front, as much as one turn takes, all at once, and hands on what is good. */
  async #batch(lane: Lane): Promise<void> {
    if (this.#options.pace.left <= 0) await this.#options.pace.turn();
    const batch: Checked[] = [];
    const chunks: Chunk[] = [];
    for (const item of lane.items) {
      const { left } = this.#options.pace;
      if (left <= 0 || (batch.length > 0 && item.bytes.length > left)) break;
      const shunned = carriesChunks(kindOf(item.bytes)) && this.#isShunned(item.from);
      const found = shunned ? null : chunksOf(item);
      const count = found?.length ?? 0;
      batch.push({ item, chunks: found });
      this.#options.pace.spend(item.bytes.length + count * chunkCost);
      for (let i = 0; i < count; i++) chunks.push(found?.[i] as Chunk);
    }
    const whys = chunks.length === 0 ? [] : await this.#check(batch[0]?.item.from as Peer, chunks);
    lane.items = lane.items.slice(batch.length);
    const good: Item[] = [];
    let at = 0;
    for (const { item, chunks: own } of batch) {
      lane.bytes -= item.bytes.length;
      this.#waiting--;
      if (own === null) {
        this.#reject(item.from, "a version from a peer that sent forged ones", 1);
        continue;
      }
      const verdicts = whys.slice(at, at + own.length);
      at += own.length;
      const proven = this.#proven(item, verdicts);
      if (proven !== null) good.push(proven);
    }
    good.forEach(({ from, channel, bytes: message }, i) => {
      this.#options.deliver(from, channel, message, i + 1 < good.length);
    });
  }

  async #check(from: Peer, chunks: readonly Chunk[]): Promise<readonly (string | null)[]> {
    const { check, nowMs, ask } = this.#options;
    const wanted = [...check.unknownKeys(chunks)].filter((keyId) => {
      return (this.#unproven.get(keyId) ?? 0) <= nowMs();
    });
    if (wanted.length > 0) {
      ask(from.address, wanted);
      await this.#proofOf(chunks);
      if (this.#unproven.size > maxUnprovenKeys) this.#unproven.clear();
      for (const keyId of check.unknownKeys(chunks)) {
        this.#unproven.set(keyId, nowMs() + proofWaitMs);
      }
    }
    return check.check(chunks);
  }

  /** Ends when all keys are known, or none came for some time. */
  #proofOf(chunks: readonly Chunk[]): Promise<void> {
    const { check } = this.#options;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, proofWaitMs);
      const look = (): void => {
        if (check.unknownKeys(chunks).size > 0) {
          this.#wakeUps.push(look);
          return;
        }
        clearTimeout(timer);
        resolve();
      };
      this.#wakeUps.push(look);
    });
  }

  /** The message as the replica may have it; null: it is turned away. */
  #proven(item: Item, verdicts: readonly (string | null)[]): Item | null {
    const { from } = item;
    const bad = verdicts.filter((why) => why !== null);
    if (bad.length > 0) {
      this.#misbehaved(from);
      this.#reject(from, bad[0] as string, bad.length);
      return null;
    }
    const kind = kindOf(item.bytes);
    if (kind === "rowStates") {
      this.#reject(from, "rows without signatures (repair)", 1);
      return null;
    }
    return kind === "syncDone" ? { ...item, bytes: this.#believed(item) } : item;
  }

  /** The end of an answer with those markers alone that a witness confirms. */
  #believed({ from, bytes }: Item): Uint8Array {
    const decoded = decodeMessage(bytes, syncDecoders, maxSyncBytes);
    if (decoded.type !== "message" || decoded.message.type !== "done") return bytes;
    const { id, failed, overwritten, rest } = decoded.message;
    if (overwritten.length === 0) return bytes;
    const { nowMs, others } = this.#options;
    const believed = this.#witnesses.hear(nowMs(), from.address, overwritten, others());
    return encodeDone(id, failed, believed, rest);
  }

  #reject(from: Peer, why: string, count: number): void {
    this.#rejected += count;
    this.#options.rejected(from, why, count);
  }

  #misbehaved(from: Peer): void {
    const nowMs = this.#options.nowMs();
    if (this.#conduct.size >= maxPeers) this.#conduct.clear();
    const before = this.#conduct.get(from.address);
    const again = before !== undefined && nowMs < before.untilMs + maxPenaltyMs;
    const penaltyMs = again ? Math.min(before.penaltyMs * 2, maxPenaltyMs) : firstPenaltyMs;
    this.#conduct.set(from.address, { untilMs: nowMs + penaltyMs, penaltyMs });
  }

  #isShunned(from: Peer): boolean {
    const conduct = this.#conduct.get(from.address);
    return conduct !== undefined && this.#options.nowMs() < conduct.untilMs;
  }
}

function carriesChunks(kind: ReturnType<typeof kindOf>): boolean {
  return kind === "push" || kind === "syncChunks" || kind === "sealedChunks";
}

function needsCheck(bytes: Uint8Array): boolean {
  const kind = kindOf(bytes);
  return carriesChunks(kind) || kind === "rowStates" || kind === "syncDone";
}

/** The chunks that the message carries. One that cannot be read carries none; the replica turns it away. */
function chunksOf({ channel, bytes }: Item): readonly Chunk[] {
  if (!carriesChunks(kindOf(bytes))) return [];
  if (channel === "gossip") {
    const decoded = decodeMessage(bytes, gossipDecoders, maxGossipBytes);
    return decoded.type === "message" && decoded.message.type === "push"
      ? [decoded.message.chunk]
      : [];
  }
  const decoded = decodeMessage(bytes, syncDecoders, maxSyncBytes);
  return decoded.type === "message" && decoded.message.type === "chunks"
    ? decoded.message.chunks
    : [];
}
