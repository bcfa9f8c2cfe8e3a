/**
 * Where a replica's broadcast puts what it receives: the books tell what is new, the inbox takes it,
 * anti-entropy learns of what was missed. A class of its own, not closures of the replica: with such
 * closures a simulation that was over was seen to be kept by the young collector, and copied with all
 * its replicas. (The engine seems to remember closures weakly, and its young collector not to mind.)
 */
import type { ActorId, Address } from "../base/ids.ts";
import type { Intake } from "../gossip/broadcast.ts";
import type { Verdict } from "../sync/actor-ledger.ts";
import type { Inbox } from "../sync/inbox.ts";
import type { Ledger } from "../sync/ledger.ts";
import type { Sync } from "../sync/sync.ts";
import type { Effect, Now } from "./event.ts";
import type { Chunk } from "./store.ts";

export class PushIntake implements Intake {
  /** From whom the latest push came: whom to ask about a gap. */
  lastPusher: Address | null = null;
  readonly #ledger: Ledger;
  readonly #inbox: Inbox;
  readonly #sync: Sync;
  /** A push left something in the inbox that the store has not been given. */
  #taken = false;

  constructor(ledger: Ledger, inbox: Inbox, sync: Sync) {
    this.#ledger = ledger;
    this.#inbox = inbox;
    this.#sync = sync;
  }

  verdict(actor: ActorId, version: number, index: number, count: number): Verdict {
    return this.#ledger.verdict(actor, version, index, count);
  }

  take(_now: Now, chunk: Chunk, from: Address): void {
    this.lastPusher = from;
    this.#inbox.take(chunk, "gossip");
    this.#taken = true;
  }

  missed(now: Now, peer: Address, out: Effect[]): void {
    this.#sync.missed(now, peer, out);
  }

  /** Gives the store what pushes left for it. */
  flush(out: Effect[]): void {
    if (!this.#taken) return;
    this.#taken = false;
    this.#inbox.flush(out);
  }
}
