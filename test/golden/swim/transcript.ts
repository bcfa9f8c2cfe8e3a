/** Writes down who says what to whom, in words that stay the same from run to run. */
import type { Notice } from "../../../core/node/event.ts";
import type { Identity } from "../../../core/swim/identity.ts";
import {
  decodeSwim,
  describe,
  flagIntroduce,
  flagListing,
  flagRelayed,
  flagReliable,
  type SwimMessageText,
} from "../../../core/wire/swim-messages.ts";
import type { MemberRecord } from "../../../core/wire/swim-records.ts";
import type { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { tag } from "../../unit/swim/solo.ts";

export class Transcript {
  readonly #lab: SwimLab;
  readonly #lines: string[] = [];
  readonly #names = new Map<number, string>();
  readonly #seqs = new Map<number, number>();
  #open = false;

  constructor(lab: SwimLab) {
    this.#lab = lab;
    lab.onSend = ({ from, to, reliable, bytes }) => {
      if (!this.#open) return;
      const decoded = decodeSwim(bytes);
      if (decoded.type !== "message") throw new Error("sends what nobody can read");
      const line = `n${from} -> n${to}  ${this.#say(describe(decoded.message), reliable)}`;
      this.#write(`${line}  ${bytes.length} B`);
    };
    lab.onDrop = ({ from, to, kind }, why) =>
      this.#write(`n${from} -x n${to}  ${kind} is lost: ${why}`);
    lab.onNotice = (node, notice) => {
      const told = this.#tell(notice);
      if (told !== null) this.#write(`n${node}: ${told}`);
    };
  }

  /** From here on it is written down. */
  begin(title: string): void {
    this.#open = true;
    this.#lines.push(`# ${title}`);
  }

  note(text: string): void {
    this.#write(`-- ${text}`);
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #write(what: string): void {
    if (this.#open) this.#lines.push(`${this.#lab.nowMs.toFixed(3).padStart(10)}  ${what}`);
  }

  #say(m: SwimMessageText, reliable: boolean): string {
    const flags = m.flags ?? 0;
    const words: string[] = [m.kind];
    if (reliable) words.push("(reliable)");
    if (m.seq !== undefined) words.push(`#${this.#number(m.seq)}`);
    if (m.kind === "pingReq") words.push(`of ${this.#name(m.target ?? 0)}`);
    if (m.kind === "ping" && (flags & flagReliable) !== 0) words.push("answer-reliably");
    if (m.kind === "ack") {
      words.push(`by ${this.#name(m.source ?? 0)}`);
      if ((flags & flagRelayed) !== 0) words.push("relayed");
    }
    if ((flags & flagIntroduce) !== 0 && m.kind !== "memberGroups") words.push("who-are-you");
    if (m.digests !== undefined) words.push(`${m.digests.length} groups`);
    if (m.kind === "memberGroups" && (flags & flagListing) !== 0) {
      words.push(`all of groups ${(m.listed ?? []).join(",")}`);
    }
    for (const record of m.records ?? []) words.push(`[${this.#record(record)}]`);
    const wants = (m.wants ?? []).length / 2;
    if (wants > 0) words.push(`wants ${wants}`);
    return words.join(" ");
  }

  #record({ tagLo, state, incarnation, accusers, ageSec, body }: MemberRecord): string {
    const by = accusers.map((accuser) => (accuser === 0 ? "hearsay" : this.#name(accuser)));
    return [
      body === null ? this.#name(tagLo) : `${this.#name(tagLo)} whole`,
      `${state}(${incarnation})`,
      ...(by.length > 0 ? [`by ${by.join(",")}`] : []),
      ...(ageSec > 0 ? [`for ${ageSec} s`] : []),
    ].join(" ");
  }

  #tell(notice: Notice): string | null {
    switch (notice.type) {
      case "member":
        return `${notice.about}/${notice.epoch} is ${notice.state}(${notice.incarnation})`;
      case "renewed":
        return `renews to epoch ${notice.epoch}: ${notice.why}`;
      case "identityConflict":
        return "another node claims its address";
      case "forgotten":
        return `drops ${notice.about}`;
      case "left":
        return "is gone";
      default:
        return null;
    }
  }

  /** Sequence numbers begin anywhere; here they count from 1. */
  #number(seq: number): number {
    const known = this.#seqs.get(seq);
    if (known !== undefined) return known;
    this.#seqs.set(seq, this.#seqs.size + 1);
    return this.#seqs.size;
  }

  #name(lo: number): string {
    if (!this.#names.has(lo)) {
      for (const { identity } of this.#lab.nodes) this.#learn(identity);
    }
    return this.#names.get(lo) ?? "nobody";
  }

  /** Also the identities that a node had before. */
  #learn(identity: Identity): void {
    for (let epoch = 1; epoch <= identity.epoch; epoch++) {
      this.#names.set(tag({ ...identity, epoch }).lo, `${identity.address}/${epoch}`);
    }
  }
}
