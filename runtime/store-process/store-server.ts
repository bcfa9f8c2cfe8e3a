/** Carries out one command after another on the store; whatever goes wrong is an answer too. */
import type { StoreResponse } from "../../core/node/event.ts";
import { runStore } from "../../core/node/run-store.ts";
import type { Chunk, Served } from "../../core/node/store.ts";
import { assert } from "../../core/base/assert.ts";
import { machineMs } from "../ipc/clock.ts";
import { SchemaRefusedError } from "../store/apply-schema.ts";
import { StoreOpenError } from "../store/open-database.ts";
import { StoreError } from "../store/store-error.ts";
import { type Binding, bindActor, checkSigningKey, FreshActor, rekey } from "./author-key.ts";
import type {
  CommittedGroup,
  CommittedVersion,
  FailedAnswer,
  OpenStore,
  StoreAnswer,
  StoreCommand,
  TransactAnswer,
  TransactCommand,
} from "./messages.ts";
import { NodeStore } from "./node-store.ts";
import { ProgressWriter } from "./progress.ts";

/** What came of a group: for the clients, and for the node. */
export interface GroupDone {
  readonly answer: TransactAnswer;
  readonly committed: readonly CommittedVersion[];
}

/** Own versions handed over in one answer after a restart. */
const ownBytes = 8 * 1024 * 1024;
const lockPollMs = 20;
const hourMs = 3_600_000;
/** The log is first looked through so long after the start, when a node has caught up as a rule. */
const scrubFirstMs = 600_000;

export class StoreServer {
  #store: NodeStore | null = null;
  #progress: ProgressWriter | null = null;

  carryOut(command: StoreCommand): StoreAnswer {
    try {
      this.#progress?.atJob();
      return this.#plain(command);
    } catch (error) {
      return failed(error);
    }
  }

  /** Transactions of clients, committed together. */
  runGroup({ group, members }: TransactCommand): GroupDone {
    try {
      const { results, committed } = this.#opened().runGroup(Date.now(), group, members);
      return { answer: { type: "group", results }, committed };
    } catch (error) {
      return { answer: failed(error), committed: [] };
    }
  }

  /** What the last groups came to. */
  committedGroups(): CommittedGroup[] {
    return this.#opened().committedGroups();
  }

  /** Gives back what is only kept to be quick. */
  shrink(): void {
    this.#store?.shrink();
  }

  #plain(command: StoreCommand): StoreAnswer {
    if (command.type === "open") return this.#open(command.options);
    const store = this.#opened();
    switch (command.type) {
      case "protocol":
        return { type: "protocol", response: protocol(store, command.request) };
      case "saveEpoch":
        store.saveEpoch(command.epoch);
        return { type: "done" };
      case "saveCredential":
        store.saveCredential(command.key, command.credential);
        return { type: "done" };
      case "rekey":
        return { type: "rekeyed", credential: rekey(store, command.signing) };
      case "migrate": {
        const before = JSON.stringify(store.schema());
        const { summary } = store.migrate(Date.now(), command.schema);
        const schema = store.schema();
        const changed = JSON.stringify(schema) !== before;
        const { quarantined } = store.counts();
        return { type: "migrated", schema, summary, changed, quarantined };
      }
      case "serveOwn":
        return { type: "own", chunks: ownAbove(store, command.after), summary: store.summary() };
      case "upkeep":
        return {
          type: "upkeep",
          more: store.upkeep(Date.now(), command.dirty),
          damage: store.takeDamage(),
        };
      case "info":
        return { type: "info", info: store.info() };
      case "check":
        return { type: "checked", problems: store.check() };
      case "admit":
        return { type: "done" };
      case "close":
        store.close();
        this.#store = null;
        return { type: "done" };
    }
  }

  #opened(): NodeStore {
    assert(this.#store !== null, "the first command opens the store");
    return this.#store;
  }

  #open(options: OpenStore): StoreAnswer {
    assert(this.#store === null, "a store is opened once");
    const progress = new ProgressWriter(options.progressPath);
    this.#progress = progress;
    const begins = (group: number, member: number): void => progress.at(group, member);
    const { store, why } = openSigning(options, begins);
    const { renewal } = store;
    this.#store = store;
    return {
      type: "opened",
      actor: store.actor,
      node: store.nodeId,
      epoch: store.epoch,
      renewal: renewal === null ? null : { ...renewal, why: why ?? renewal.why },
      holdings: store.holdings(),
      summary: store.summary(),
      schema: store.schema(),
      quarantined: store.counts().quarantined,
      credentials: store.credentials(),
    };
  }
}

/**
 * Opens the store under an actor that it can sign for, where it is to sign.
 * @returns why it had to take a fresh one for that; null: it had not to.
 */
function openSigning(
  options: OpenStore,
  begins: (group: number, member: number) => void,
): { readonly store: NodeStore; readonly why: string | null } {
  const { path, freshActor, freshNode: node, synchronous, schema, signing, lockWaitMs } = options;
  // Before anything is written: a key that is another's must leave the database as it was.
  if (signing !== null) checkSigningKey(signing);
  const fresh = signing === null ? null : new FreshActor(signing);
  const plain = { path, actor: fresh?.actor ?? freshActor, node, synchronous, schema };
  const everyMs = options.scrubHours * hourMs;
  const scrub = everyMs === 0 ? null : { firstMs: scrubFirstMs, everyMs };
  const store = patiently(() => new NodeStore(plain, begins, scrub), lockWaitMs);
  if (signing === null || fresh === null) return { store, why: null };
  let binding: Binding;
  try {
    binding = bindActor(store, path, signing, fresh);
  } catch (error) {
    store.close();
    throw error;
  }
  if (binding.type === "bound") return { store, why: null };
  store.close();
  const again = new NodeStore({ ...plain, renew: "actor" }, begins, scrub);
  bindActor(again, path, signing, fresh);
  return { store: again, why: binding.why };
}

/** Another process that is about to end may hold the lock for a moment. */
function patiently<T>(open: () => T, waitMs: number): T {
  const untilMs = machineMs() + waitMs;
  for (;;) {
    try {
      return open();
    } catch (error) {
      const locked = error instanceof StoreOpenError && error.message.includes("another process");
      if (!locked || machineMs() >= untilMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPollMs);
    }
  }
}

/** What the disk refuses is a failure that the protocol knows; it tries again later. */
function protocol(
  store: NodeStore,
  request: Extract<StoreCommand, { type: "protocol" }>["request"],
): StoreResponse {
  try {
    return runStore(store, Date.now(), request);
  } catch (error) {
    if (error instanceof StoreError && !error.damaged)
      return { type: "failed", why: error.message };
    throw error;
  }
}

/** Whole versions only, and at least one of them if there is any. */
function ownAbove(store: NodeStore, after: number): readonly Chunk[] {
  const { actor } = store;
  const head = store.holdings().find((holding) => holding.actor === actor)?.head ?? 0;
  const chunks: Chunk[] = [];
  let bytes = 0;
  for (let version = after + 1; version <= head && bytes < ownBytes; version++) {
    const want = { actor, from: version, to: version };
    const served: Served = store.serve([want], Number.MAX_SAFE_INTEGER);
    for (const chunk of served.chunks) {
      chunks.push(chunk);
      bytes += chunk.payload.length;
    }
  }
  return chunks;
}

function failed(error: unknown): FailedAnswer {
  const why = error instanceof Error ? error.message : String(error);
  if (error instanceof SchemaRefusedError) return { type: "failed", why, code: "schema" };
  if (error instanceof StoreOpenError) return { type: "failed", why, code: "open" };
  if (error instanceof StoreError) {
    return { type: "failed", why, code: error.damaged ? "damaged" : "disk" };
  }
  const story = error instanceof Error ? (error.stack ?? error.message) : why;
  return { type: "failed", why: story, code: "bug" };
}
