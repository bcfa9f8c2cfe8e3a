/**
 * The messages of membership. All but the rare ones are small: an idle ping is 18 bytes and its
 * ack 14. Headers name identities by the low half of their tags, which together with the address
 * the message came from is enough to notice that it is no longer the one that was meant.
 *
 * A message is decoded into one object that is used again for the next: whoever keeps something
 * copies it (`describe` does). `core/swim` writes the same layouts through the functions here.
 */
import {
  beginMessage,
  type Decoded,
  decodeMessage,
  type Decoder,
  decoderTable,
  type DecoderTable,
} from "./envelope.ts";
import type { MessageKind } from "./kinds.ts";
import { maxFrameBytes } from "./limits.ts";
import type { Reader } from "./reader.ts";
import {
  maxRecords,
  type MemberRecord,
  readUpdates,
  RecordBatch,
  writeRecordObject,
} from "./swim-records.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

export type SwimKind =
  | "ping"
  | "ack"
  | "nack"
  | "pingReq"
  | "gossip"
  | "memberDigest"
  | "memberGroups"
  | "join"
  | "joinReply";

/** ping: answer over the reliable path. */
export const flagReliable = 1;
/** ack: sent on by a helper; its digest is not the target's. */
export const flagRelayed = 1;
/** ack, gossip: the sender does not know who you are; tell it. */
export const flagIntroduce = 2;
/** memberGroups: these are all members of the groups listed; answer with what differs. */
export const flagListing = 4;

/** log2 of the most groups that a digest has. */
export const maxDepth = 8;

/** What the decoders fill. Which fields count depends on `kind`. */
export class SwimMessage {
  kind: SwimKind = "ping";
  flags = 0;
  /** Of a ping, repeated by its ack, nack and by the request to ping on behalf. */
  seq = 0;
  /** Low tag of the identity that speaks; of a relayed ack: that was reached. */
  source = 0;
  /** Low tag of the identity spoken to, and its high part where the message has it. */
  target = 0;
  targetHi = 0;
  /** Digest of the sender's list. */
  root = 0;
  /** The sender's idea of the cluster's size; 0 when it says none. */
  size = 0;
  /** log2 of the number of groups. */
  depth = 0;
  /** Digest of each group. */
  readonly digests = new Uint32Array(1 << maxDepth);
  /** 1 for each group that is listed. */
  readonly listed = new Uint8Array(1 << maxDepth);
  readonly records = new RecordBatch();
  /** Tags asked for: high and low in turn. */
  readonly wants: number[] = [];
}

const message = new SwimMessage();

function begin(kind: SwimKind): SwimMessage {
  message.kind = kind;
  message.flags = 0;
  message.size = 0;
  message.root = 0;
  message.records.clear();
  message.wants.length = 0;
  return message;
}

function readPing(r: Reader): SwimMessage {
  const m = begin("ping");
  m.flags = r.u8();
  m.seq = r.u16();
  m.source = r.u32();
  m.target = r.u32();
  m.root = r.u32();
  m.size = readUpdates(r, m.records);
  return m;
}

function readAck(r: Reader): SwimMessage {
  const m = begin("ack");
  m.flags = r.u8();
  m.seq = r.u16();
  m.source = r.u32();
  m.root = r.u32();
  m.size = readUpdates(r, m.records);
  return m;
}

function readNack(r: Reader): SwimMessage {
  const m = begin("nack");
  m.seq = r.u16();
  return m;
}

function readPingReq(r: Reader): SwimMessage {
  const m = begin("pingReq");
  m.seq = r.u16();
  m.source = r.u32();
  m.targetHi = r.u16();
  m.target = r.u32();
  return m;
}

function readGossip(r: Reader): SwimMessage {
  const m = begin("gossip");
  m.flags = r.u8();
  m.source = r.u32();
  m.size = readUpdates(r, m.records);
  return m;
}

function readDepth(r: Reader): number {
  const depth = r.u8();
  if (depth > maxDepth) throw new WireError("more groups than there can be");
  return depth;
}

function readMemberDigest(r: Reader): SwimMessage {
  const m = begin("memberDigest");
  m.source = r.u32();
  m.depth = readDepth(r);
  const groups = 1 << m.depth;
  for (let i = 0; i < groups; i++) m.digests[i] = r.u32();
  return m;
}

function readMemberGroups(r: Reader): SwimMessage {
  const m = begin("memberGroups");
  m.flags = r.u8();
  m.source = r.u32();
  m.depth = readDepth(r);
  const groups = 1 << m.depth;
  m.listed.fill(0);
  const listed = r.count(1, groups);
  for (let i = 0; i < listed; i++) {
    const group = r.u8();
    if (group >= groups) throw new WireError("no such group");
    m.listed[group] = 1;
  }
  m.size = readUpdates(r, m.records);
  const wants = r.count(6, maxRecords);
  for (let i = 0; i < wants; i++) m.wants.push(r.u16(), r.u32());
  return m;
}

function readJoin(r: Reader): SwimMessage {
  const m = begin("join");
  m.size = readUpdates(r, m.records);
  return m;
}

function readJoinReply(r: Reader): SwimMessage {
  const m = begin("joinReply");
  m.flags = r.u8();
  m.source = r.u32();
  m.size = readUpdates(r, m.records);
  return m;
}

const decoders: Readonly<Record<SwimKind, Decoder<SwimMessage>>> = {
  ping: readPing,
  ack: readAck,
  nack: readNack,
  pingReq: readPingReq,
  gossip: readGossip,
  memberDigest: readMemberDigest,
  memberGroups: readMemberGroups,
  join: readJoin,
  joinReply: readJoinReply,
};

const table: DecoderTable<SwimMessage> = decoderTable(decoders);

/** The message holds until the next call. */
export function decodeSwim(bytes: Uint8Array): Decoded<SwimMessage> {
  return decodeMessage(bytes, table, maxFrameBytes);
}

export function beginPing(
  w: Writer,
  flags: number,
  seq: number,
  source: number,
  target: number,
  root: number,
): void {
  beginMessage(w, "ping");
  w.u8(flags);
  w.u16(seq);
  w.u32(source);
  w.u32(target);
  w.u32(root);
}

export function beginAck(
  w: Writer,
  flags: number,
  seq: number,
  source: number,
  root: number,
): void {
  beginMessage(w, "ack");
  w.u8(flags);
  w.u16(seq);
  w.u32(source);
  w.u32(root);
}

export function writeNack(w: Writer, seq: number): void {
  beginMessage(w, "nack");
  w.u16(seq);
}

export function writePingReq(
  w: Writer,
  seq: number,
  source: number,
  targetHi: number,
  targetLo: number,
): void {
  beginMessage(w, "pingReq");
  w.u16(seq);
  w.u32(source);
  w.u16(targetHi);
  w.u32(targetLo);
}

/** Gossip and joinReply begin alike. */
export function beginNews(
  w: Writer,
  kind: "gossip" | "joinReply",
  flags: number,
  source: number,
): void {
  beginMessage(w, kind);
  w.u8(flags);
  w.u32(source);
}

/** The group digests follow, 2^depth of them. */
export function beginMemberDigest(w: Writer, source: number, depth: number): void {
  beginMessage(w, "memberDigest");
  w.u32(source);
  w.u8(depth);
}

/** Records and wants follow. `listed`: a byte for each of 2^depth groups, or null for none. */
export function beginMemberGroups(
  w: Writer,
  source: number,
  depth: number,
  listed: Uint8Array | null,
): void {
  beginMessage(w, "memberGroups");
  w.u8(listed === null ? 0 : flagListing);
  w.u32(source);
  w.u8(depth);
  let count = 0;
  const groups = listed === null ? 0 : 1 << depth;
  for (let i = 0; i < groups; i++) count += listed?.[i] ?? 0;
  w.varint(count);
  for (let i = 0; i < groups; i++) if (listed?.[i] === 1) w.u8(i);
}

/** A message as plain data that can be kept: for transcripts, tests and hostile peers. */
export interface SwimMessageText {
  readonly kind: SwimKind;
  readonly flags?: number;
  readonly seq?: number;
  readonly source?: number;
  readonly target?: number;
  readonly targetHi?: number;
  readonly root?: number;
  readonly size?: number;
  readonly depth?: number;
  readonly digests?: readonly number[];
  readonly listed?: readonly number[];
  readonly records?: readonly MemberRecord[];
  readonly wants?: readonly number[];
}

export function describe(m: SwimMessage): SwimMessageText {
  const records: MemberRecord[] = [];
  for (let i = 0; i < m.records.length; i++) records.push(m.records.recordAt(i));
  const news = { records, size: m.size };
  const { kind, flags, seq, source, root, depth } = m;
  const groups = 1 << depth;
  const listed = Array.from(m.listed.keys()).filter((group) => m.listed[group] === 1);
  switch (kind) {
    case "ping":
      return { kind, flags, seq, source, target: m.target, root, ...news };
    case "ack":
      return { kind, flags, seq, source, root, ...news };
    case "nack":
      return { kind, seq };
    case "pingReq":
      return { kind, seq, source, targetHi: m.targetHi, target: m.target };
    case "gossip":
    case "joinReply":
      return { kind, flags, source, ...news };
    case "memberDigest":
      return { kind, source, depth, digests: Array.from(m.digests.subarray(0, groups)) };
    case "memberGroups":
      return { kind, flags, source, depth, listed, wants: m.wants.slice(), ...news };
    case "join":
      return { kind, ...news };
  }
}

/** The opposite of `describe`. */
export function encodeSwim(w: Writer, m: SwimMessageText): Uint8Array {
  const { flags = 0, seq = 0, source = 0, target = 0, targetHi = 0, root = 0, depth = 0 } = m;
  switch (m.kind) {
    case "ping":
      beginPing(w, flags, seq, source, target, root);
      break;
    case "ack":
      beginAck(w, flags, seq, source, root);
      break;
    case "nack":
      writeNack(w, seq);
      return w.finish();
    case "pingReq":
      writePingReq(w, seq, source, targetHi, target);
      return w.finish();
    case "gossip":
    case "joinReply":
      beginNews(w, m.kind, flags, source);
      break;
    case "memberDigest":
      beginMemberDigest(w, source, depth);
      for (const digest of m.digests ?? []) w.u32(digest);
      return w.finish();
    case "memberGroups": {
      const listed = new Uint8Array(1 << depth);
      for (const group of m.listed ?? []) listed[group] = 1;
      beginMemberGroups(w, source, depth, (flags & flagListing) === 0 ? null : listed);
      break;
    }
    case "join":
      beginMessage(w, "join");
      break;
  }
  const records = m.records ?? [];
  w.varint(records.length);
  if (records.length > 0) w.varint(m.size ?? 0);
  for (const record of records) writeRecordObject(w, record);
  if (m.kind === "memberGroups") {
    const wants = m.wants ?? [];
    w.varint(wants.length / 2);
    wants.forEach((half, index) => (index % 2 === 0 ? w.u16(half) : w.u32(half)));
  }
  return w.finish();
}

/** Kind of the bytes, if they are one of ours. */
export type { MessageKind };
