/** The hashes of a replica's rows and schema, of the moment of the store's last answer. */
import type { StoreSummary } from "../node/store.ts";
import { hashOfSummary } from "../crdt/state-summary.ts";
import type { WireHash } from "../wire/wire-hash.ts";

export class StateView {
  schema: WireHash;
  /** Some versions wait for a schema that knows them, so equal holdings need not mean equal rows. */
  quarantined = false;
  #summary: StoreSummary;
  #hash: WireHash | null = null;

  constructor(summary: StoreSummary, schema: WireHash) {
    this.#summary = summary;
    this.schema = schema;
  }

  /** Of all living rows with their merge metadata. */
  get hash(): WireHash {
    this.#hash ??= hashOfSummary(this.#summary);
    return this.#hash;
  }

  get summary(): StoreSummary {
    return this.#summary;
  }

  update(summary: StoreSummary): void {
    this.#summary = summary;
    this.#hash = null;
  }
}
