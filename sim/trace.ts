/**
 * Writes the trace of a run and keeps its hash. The hash covers the fields of every event whether
 * or not anybody asked for the lines, which are built only then.
 */
import { formatHlc } from "../core/clock/hlc.ts";
import type { MemberState } from "../core/node/event.ts";
import { hashOfSummary } from "../core/crdt/state-summary.ts";
import type { Chunk, StoreSummary } from "../core/node/store.ts";
import type { Ledger } from "../core/sync/ledger.ts";
import { messageKinds } from "../core/wire/kinds.ts";
import { traceChanges } from "../core/trace/changes.ts";
import { RunningHash } from "../core/trace/running-hash.ts";
import type { TraceEvent, TraceHeader } from "../core/trace/trace-event.ts";
import { traceLine } from "../core/trace/trace-event.ts";
import type { DropReason, Packet } from "./network/packet.ts";
import { planes } from "./network/packet.ts";

/** First word of each kind of event in the hash. */
const codes = {
  send: 1,
  recv: 2,
  drop: 3,
  member: 4,
  commit: 5,
  apply: 6,
  buffer: 7,
  need: 8,
  state: 9,
  other: 10,
} as const;

const dropCodes: Readonly<Record<DropReason, number>> = {
  loss: 1,
  partition: 2,
  cut: 3,
  dead: 4,
  corrupt: 5,
  overflow: 6,
};

const memberCodes: Readonly<Record<MemberState, number>> = {
  alive: 1,
  suspect: 2,
  down: 3,
  left: 4,
};

/** Numbers of message kinds; 255 for what is no message. */
const kindCodes = new Map<string, number>(Object.entries(messageKinds));

export class SimTrace {
  readonly hash = new RunningHash();
  readonly #sink: ((line: string) => void) | null;
  readonly #authors = new Map<string, number>();

  constructor(sink: ((line: string) => void) | null) {
    this.#sink = sink;
  }

  get written(): boolean {
    return this.#sink !== null;
  }

  header(header: TraceHeader): void {
    const line = traceLine(header);
    this.hash.text(line);
    this.#sink?.(line);
  }

  send(t: number, packet: Packet): void {
    const { hash } = this;
    hash.word(codes.send);
    hash.integer(t);
    hash.word(packet.m);
    hash.word(packet.from);
    hash.word(packet.to * 4 + packet.plane);
    hash.word((kindCodes.get(packet.kind) ?? 255) ^ (packet.bytes.length << 8));
    this.#sink?.(
      traceLine({
        t,
        k: "send",
        n: packet.from,
        m: packet.m,
        to: packet.to,
        plane: planes[packet.plane] ?? "swim",
        msg: packet.kind,
        bytes: packet.bytes.length,
      }),
    );
  }

  recv(t: number, packet: Packet): void {
    const { hash } = this;
    hash.word(codes.recv);
    hash.integer(t);
    hash.word(packet.m);
    this.#sink?.(
      traceLine({
        t,
        k: "recv",
        n: packet.to,
        m: packet.m,
        from: packet.from,
        plane: planes[packet.plane] ?? "swim",
        msg: packet.kind,
      }),
    );
  }

  drop(t: number, packet: Packet, why: DropReason): void {
    const { hash } = this;
    hash.word(codes.drop);
    hash.integer(t);
    hash.word(packet.m);
    hash.word(dropCodes[why]);
    this.#sink?.(traceLine({ t, k: "drop", n: packet.from, m: packet.m, to: packet.to, why }));
  }

  member(
    t: number,
    n: number,
    about: number,
    state: MemberState,
    inc: number,
    epoch: number,
  ): void {
    const { hash } = this;
    hash.word(codes.member);
    hash.integer(t);
    hash.word(n);
    hash.word(about);
    hash.word(memberCodes[state]);
    hash.integer(inc);
    hash.integer(epoch);
    this.#sink?.(traceLine({ t, k: "member", n, about, state, inc, epoch }));
  }

  commit(t: number, n: number, chunks: readonly Chunk[]): void {
    const first = chunks[0];
    if (first === undefined) return;
    const { hash } = this;
    const { actor, version } = first;
    hash.word(codes.commit);
    hash.integer(t);
    hash.word(n);
    this.#author(actor);
    hash.integer(version);
    hash.integer(first.hlc.ms);
    hash.word(first.hlc.counter);
    for (const chunk of chunks) hash.bytes(chunk.payload);
    if (this.#sink === null) return;
    const hlc = formatHlc(first.hlc);
    const changes = traceChanges(chunks);
    this.#sink(traceLine({ t, k: "commit", n, actor, version, hlc, changes }));
  }

  apply(
    t: number,
    n: number,
    actor: string,
    version: number,
    via: "gossip" | "sync",
    won: number,
    lost: number,
  ): void {
    const { hash } = this;
    hash.word(codes.apply);
    hash.integer(t);
    hash.word(n);
    this.#author(actor);
    hash.integer(version);
    hash.word(via === "gossip" ? 1 : 2);
    hash.word(won);
    hash.word(lost);
    this.#sink?.(traceLine({ t, k: "apply", n, actor, version, via, won, lost }));
  }

  buffer(t: number, n: number, actor: string, version: number, have: number, of: number): void {
    const { hash } = this;
    hash.word(codes.buffer);
    hash.integer(t);
    hash.word(n);
    this.#author(actor);
    hash.integer(version);
    hash.word(have);
    hash.word(of);
    this.#sink?.(traceLine({ t, k: "buffer", n, actor, version, have, of }));
  }

  need(t: number, n: number, actor: string, from: number, to: number): void {
    const { hash } = this;
    hash.word(codes.need);
    hash.integer(t);
    hash.word(n);
    this.#author(actor);
    hash.integer(from);
    hash.integer(to);
    this.#sink?.(traceLine({ t, k: "need", n, actor, from, to }));
  }

  /** Heads and gaps stand in the hash by the ledger's own hash of them: walking all authors costs. */
  state(t: number, n: number, summary: StoreSummary, ledger: Ledger): void {
    const { hash } = this;
    const { rows } = summary;
    const data = hashOfSummary(summary);
    hash.word(codes.state);
    hash.integer(t);
    hash.word(n);
    hash.word(data.hi);
    hash.word(data.lo);
    hash.word(rows);
    hash.word(ledger.hash.hi);
    hash.word(ledger.hash.lo);
    if (this.#sink === null) return;
    const heads: Record<string, number> = {};
    let gaps = 0;
    for (const { actor, held } of ledger.actors()) {
      if (held.max === undefined) continue;
      heads[actor] = held.max;
      gaps += held.max - held.count;
    }
    this.#sink(traceLine({ t, k: "state", n, hash: summary.hash, heads, gaps, rows }));
  }

  /** An author counts in full where it is named first, and by a number after that. */
  #author(actor: string): void {
    let number = this.#authors.get(actor);
    if (number === undefined) {
      number = this.#authors.size;
      this.#authors.set(actor, number);
      this.hash.text(actor);
    }
    this.hash.word(number);
  }

  /** Everything that is rare enough to be hashed as its line. */
  write(event: TraceEvent): void {
    const line = traceLine(event);
    this.hash.word(codes.other);
    this.hash.text(line);
    this.#sink?.(line);
  }
}
