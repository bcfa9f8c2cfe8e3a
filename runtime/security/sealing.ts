/**
 * Signed versions for a host: the gate, the keys known, and what hosts tell each other about them, in
 * one piece. It is handed what the transport brings on the channels gossip, sync and host, and hands
 * on what the replica may see.
 */
import type { Address } from "../../core/base/ids.ts";
import type { Peer } from "../net/transport.ts";
import { Authors, type AuthorsOptions } from "./authors.ts";
import { decodeCredentialMessage, encodeCredentials, encodeWanted } from "./credential-messages.ts";
import { type GateOptions, type GatedChannel, type GateStats, SealGate } from "./gate.ts";
import { Pace } from "./pace.ts";
import { SealCheck, type SealCounts } from "./seal-check.ts";

export interface SealingOptions
  extends AuthorsOptions,
    Pick<GateOptions, "nowMs" | "deliver" | "rejected" | "others"> {
  /** Credentials of the database, this node's own among them. */
  readonly credentials: readonly Uint8Array[];
  /** Sends a message of the host channel, reliably. */
  readonly send: (to: Address, bytes: Uint8Array) => void;
  /** Keeps a credential that was learnt, in the database. */
  readonly save: (keyId: Uint8Array, credential: Uint8Array) => void;
}

export interface SealingStats extends GateStats, SealCounts {
  readonly keys: number;
}

export class Sealing {
  readonly #options: SealingOptions;
  readonly #authors: Authors;
  readonly #check: SealCheck;
  readonly #gate: SealGate;

  /** @throws CertificateError when the authority's certificate is none. */
  constructor(options: SealingOptions) {
    const { clusterId, nowMs, deliver, rejected, others, send } = options;
    this.#options = options;
    this.#authors = new Authors(options);
    this.#authors.load(options.credentials);
    const pace = new Pace();
    this.#check = new SealCheck({
      clusterId,
      find: (keyId) => this.#authors.find(keyId),
      giveWay: () => pace.rest(),
    });
    this.#gate = new SealGate({
      check: this.#check,
      pace,
      nowMs,
      deliver,
      rejected,
      others,
      ask: (peer, keyIds) => send(peer, encodeWanted(keyIds)),
    });
  }

  stats(): SealingStats {
    return { ...this.#gate.stats(), ...this.#check.counts, keys: this.#authors.size };
  }

  /** More has arrived than is checked in one turn of the event loop; it waits for the next. */
  get behind(): boolean {
    return this.#gate.behind;
  }

  /** A version, or anything else of these channels. */
  message(from: Peer, channel: GatedChannel, bytes: Uint8Array): void {
    this.#gate.message(from, channel, bytes);
  }

  /** A message of the host channel; false when it is not about keys. */
  hostMessage(from: Peer, bytes: Uint8Array): boolean {
    const message = decodeCredentialMessage(bytes);
    if (message === null) return false;
    if (message.type === "wanted") {
      this.#prove(from, message.keyIds);
      return true;
    }
    const before = this.#authors.size;
    for (const credential of message.credentials) this.#learn(from, credential);
    if (this.#authors.size > before) this.#gate.learnt();
    return true;
  }

  /** This node's certificate was replaced. @throws CertificateError when the authority's is none. */
  adopt(ca: string, credential: Uint8Array): void {
    this.#authors.trust(ca);
    this.#authors.load([credential]);
    this.#gate.learnt();
  }

  #prove(from: Peer, keyIds: readonly string[]): void {
    const known = keyIds.flatMap((keyId) => this.#authors.credential(keyId) ?? []);
    if (known.length > 0) this.#options.send(from.address, encodeCredentials(known));
  }

  #learn(from: Peer, bytes: Uint8Array): void {
    const learnt = this.#authors.learn(bytes);
    if (learnt.type === "learnt") {
      this.#options.save(Buffer.from(learnt.credential.keyId, "hex"), learnt.credential.bytes);
    } else if (learnt.type === "refused") {
      this.#options.rejected(from, `a credential: ${learnt.why}`, 1);
    }
  }
}
