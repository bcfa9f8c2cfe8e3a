/**
 * Anti-entropy of the member list. Every ping and ack carries the digest of the whole list; where
 * two differ although rumors had time to settle, digests of groups are sent, then the members of
 * the groups that differ, then what either side lacks. A member that a rumor missed is found with
 * its next ping, and two equal lists cost four bytes.
 */
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import { beginMemberDigest, beginMemberGroups, type SwimMessage } from "../wire/swim-messages.ts";
import { Writer } from "../wire/writer.ts";
import type { Claims } from "./claims.ts";
import type { Context } from "./context.ts";
import { digestGroups } from "./roster.ts";
import { beats } from "./precedence.ts";

/** A short record and a group's digest, in bytes. */
const recordBytes = 9;
const digestBytes = 4;

/** Members told in one message; the next exchange finds the rest. */
const maxTold = 8192;

/** Lists that never agree are compared even while they change. */
const impatientFactor = 3;

/** Members of whom stale news is answered in one period; each at most once. */
const maxAnswersAPeriod = 256;

const records = new Writer(4096);
const replies: number[] = [];
const wants: number[] = [];

export class Exchange {
  readonly #context: Context;
  readonly #claims: Claims;
  #begunMs = -Infinity;

  constructor(context: Context, claims: Claims) {
    this.#context = context;
    this.#claims = claims;
  }

  /** A peer's root digest came with a ping or an ack. */
  compare(now: Now, peer: Address, root: number, out: Effect[]): void {
    const context = this.#context;
    if (root === context.roster.root) {
      context.agreedMs = now.monoMs;
      return;
    }
    const { exchangeIntervalMs, settleMs } = context.config;
    if (now.monoMs - this.#begunMs < exchangeIntervalMs) return;
    const settled = now.monoMs - context.changedMs >= settleMs;
    const impatient = now.monoMs - context.agreedMs >= settleMs * impatientFactor;
    if (settled || impatient) this.begin(now, peer, out);
  }

  begin(now: Now, peer: Address, out: Effect[]): void {
    const { roster, writer, selfTag, counters } = this.#context;
    this.#begunMs = now.monoMs;
    counters.exchanges++;
    const depth = depthFor(roster.known);
    const groups = 1 << depth;
    beginMemberDigest(writer, selfTag, depth);
    for (let group = 0; group < groups; group++) writer.u32(roster.groupDigest(group, groups));
    this.#context.send(peer, "memberDigest", false, out);
  }

  /** Answers group digests with all members of the groups that differ. */
  digest(now: Now, peer: Address, m: SwimMessage, out: Effect[]): void {
    const { roster, directory, writer, selfTag } = this.#context;
    const groups = 1 << m.depth;
    let differing = 0;
    for (let group = 0; group < groups; group++) {
      m.listed[group] = m.digests[group] === roster.groupDigest(group, groups) ? 0 : 1;
      differing += m.listed[group] as number;
    }
    if (differing === 0) return;
    replies.length = 0;
    for (let slot = 0; slot < roster.capacity && replies.length < maxTold; slot++) {
      if (roster.entryAt(slot) < 0) continue;
      if (m.listed[directory.groupOf(slot) & (groups - 1)] === 1) this.#owe(slot, false);
    }
    beginMemberGroups(writer, selfTag, m.depth, m.listed);
    this.#writeReplies(now);
    writer.varint(0);
    this.#sendGroups(peer, out);
  }

  /** The peer's members of some groups, or its answer to such a list. */
  groups(now: Now, peer: Address, m: SwimMessage, listing: boolean, out: Effect[]): void {
    const { directory, roster } = this.#context;
    const batch = m.records;
    replies.length = 0;
    wants.length = 0;
    directory.beginMarks();
    for (let i = 0; i < batch.length; i++) {
      const slot = this.#claims.judge(now, batch, i, true, out);
      if (slot === -1 && listing) wants.push(batch.tagHi[i] as number, batch.tagLo[i] as number);
      if (slot < 0 || !listing) continue;
      if (roster.entryAt(slot) < 0) continue;
      directory.mark(slot);
      const same = this.#sameIdentity(slot, m, i);
      if (!same || this.#knowsBetter(slot, m, i)) this.#owe(slot, !same);
    }
    if (listing) this.#collectUnlisted(m);
    else this.#collectWanted(m);
    if (replies.length === 0 && wants.length === 0) return;
    this.#reply(now, peer, m, out);
  }

  /** A reply is a slot and whether its whole identity is needed, in one number. */
  #owe(slot: number, full: boolean): void {
    replies.push(slot * 2 + (full ? 1 : 0));
  }

  #sameIdentity(slot: number, m: SwimMessage, i: number): boolean {
    const { directory, roster } = this.#context;
    const entry = roster.entryAt(slot);
    const { tagLo, tagHi } = m.records;
    return directory.tagLo(entry) === tagLo[i] && directory.tagHi(entry) === tagHi[i];
  }

  #knowsBetter(slot: number, m: SwimMessage, i: number): boolean {
    const { roster } = this.#context;
    return beats(
      roster.stateAt(slot),
      roster.incarnationAt(slot),
      m.records.stateAt(i),
      m.records.incarnations[i] as number,
    );
  }

  /** Members of the listed groups that the peer did not list: it does not know them. */
  #collectUnlisted(m: SwimMessage): void {
    const { directory, roster } = this.#context;
    const mask = (1 << m.depth) - 1;
    for (let slot = 0; slot < roster.capacity && replies.length < maxTold; slot++) {
      if (roster.entryAt(slot) < 0 || directory.isMarked(slot)) continue;
      if (m.listed[directory.groupOf(slot) & mask] === 1) this.#owe(slot, true);
    }
  }

  #collectWanted(m: SwimMessage): void {
    const { directory, roster } = this.#context;
    for (let i = 0; i + 1 < m.wants.length && replies.length < maxTold; i += 2) {
      const entry = directory.entryByTag(m.wants[i] as number, m.wants[i + 1] as number);
      if (entry < 0) continue;
      const slot = directory.slotOfEntry(entry);
      if (roster.entryAt(slot) === entry) this.#owe(slot, true);
    }
  }

  #reply(now: Now, peer: Address, m: SwimMessage, out: Effect[]): void {
    const { writer, selfTag } = this.#context;
    beginMemberGroups(writer, selfTag, m.depth, null);
    this.#writeReplies(now);
    writer.varint(wants.length / 2);
    for (let i = 0; i < wants.length; i += 2) {
      writer.u16(wants[i] as number);
      writer.u32(wants[i + 1] as number);
    }
    this.#sendGroups(peer, out);
  }

  /** What is owed to a sender whose news was stale: what is held here, as hearsay to it. */
  answer(now: Now, peer: Address, out: Effect[]): void {
    const { answers, told, roster, writer, selfTag } = this.#context;
    replies.length = 0;
    for (const slot of answers) {
      if (told.has(slot) || told.size >= maxAnswersAPeriod || roster.entryAt(slot) < 0) continue;
      told.add(slot);
      this.#owe(slot, true);
    }
    answers.length = 0;
    if (replies.length === 0) return;
    beginMemberGroups(writer, selfTag, 0, null);
    this.#writeReplies(now);
    writer.varint(0);
    this.#sendGroups(peer, out);
  }

  #writeReplies(now: Now): void {
    const { writer } = this.#context;
    records.reset();
    for (const reply of replies) {
      this.#context.writeMember(records, reply >> 1, (reply & 1) === 1, now);
    }
    writer.varint(replies.length);
    if (replies.length === 0) return;
    writer.varint(this.#context.clusterSize(now));
    writer.append(records);
  }

  #sendGroups(peer: Address, out: Effect[]): void {
    const { writer, config } = this.#context;
    this.#context.send(peer, "memberGroups", writer.length > config.datagramBytes, out);
  }
}

/** log2 of as many groups as make digests and one group's members together the fewest bytes. */
function depthFor(members: number): number {
  let depth = 0;
  let groups = 1;
  while (groups * groups * digestBytes < members * recordBytes && groups < digestGroups) {
    groups *= 2;
    depth++;
  }
  return depth;
}
