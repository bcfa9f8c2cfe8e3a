/** What the main thread asks the network thread, beside transactions: waits, status, schema, checks. */
import type { ActorId, Address } from "../../core/base/ids.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import type { Transport, TransportTls } from "../net/transport.ts";
import type { Sealing } from "../security/sealing.ts";
import type { StoreInfo } from "../store-process/messages.ts";
import type { StoreClient } from "../store-process/store-client.ts";
import { decodeHost, encodeHost } from "./host-messages.ts";
import { LoopDelay } from "./loop-delay.ts";
import type { MigrateReply, NetRequest, NetStatus } from "./net-messages.ts";
import { netStatus, totals } from "./net-status.ts";
import { PeerWaits } from "./peer-waits.ts";
import type { ReplicaHost } from "./replica-host.ts";
import type { Reports } from "./reports.ts";
import { VersionWaits } from "./version-waits.ts";

/** The parts of a node, those that are there. */
export interface NodeParts {
  readonly reports: Reports;
  store: StoreClient | null;
  host: ReplicaHost | null;
  transport: Transport | null;
  /** Null where versions are not signed. */
  sealing: Sealing | null;
}

/** A peer's question is remembered for so long. */
const peerQuestionMs = 120_000;
const storeInfoKeptMs = 1000;

export class NetRequests {
  readonly loopDelay = new LoopDelay();
  readonly versionWaits: VersionWaits;
  /** Strangers and garbage turned away by the transport. */
  rejectedDoors = 0;
  readonly #parts: NodeParts;
  readonly #rotate: (tls: TransportTls) => Promise<string | null>;
  readonly #peerWaits: PeerWaits;
  #asked: { readonly actor: ActorId; readonly version: number } | null = null;
  #info: { readonly at: number; readonly info: StoreInfo } | null = null;

  constructor(parts: NodeParts, rotate: (tls: TransportTls) => Promise<string | null>) {
    this.#parts = parts;
    this.#rotate = rotate;
    this.versionWaits = new VersionWaits(
      (actor, version) => parts.host?.replica.ledger.get(actor)?.held.has(version) ?? false,
    );
    this.#peerWaits = new PeerWaits((to, id) => {
      if (this.#asked === null) return;
      const question = encodeHost({ kind: "askApplied", id, ...this.#asked });
      parts.transport?.send(to, "host", true, question);
    });
  }

  answer(request: NetRequest): Promise<unknown> {
    switch (request.type) {
      case "waitApplied":
        return this.#waitApplied(request.actor as ActorId, request.version, request.timeoutMs);
      case "waitPeers":
        return this.#waitPeers(request.version, request.peers, request.timeoutMs);
      case "status":
        return this.#status();
      case "migrate":
        return this.#migrate(request.schema);
      case "check":
        return this.#check();
      case "rotate":
        return this.#rotate(request.tls);
      case "ping":
        return Promise.resolve({ storeBusyMs: this.#parts.store?.busyMs ?? 0 });
    }
  }

  /** A message of another host, beside the protocol. */
  hostMessage(from: Address, bytes: Uint8Array): void {
    let message: ReturnType<typeof decodeHost>;
    try {
      message = decodeHost(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const why = error.message;
      this.#parts.reports.rareLog("warn", "a host sent what cannot be read", { from, why });
      return;
    }
    if (message === null) return;
    if (message.kind === "applied") {
      this.#peerWaits.applied(from, message.id);
      return;
    }
    const { id, actor, version } = message;
    this.versionWaits.add(actor, version, performance.now() + peerQuestionMs, () => {
      this.#parts.transport?.send(from, "host", true, encodeHost({ kind: "applied", id }));
    });
  }

  #waitApplied(actor: ActorId, version: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      const ends = (applied: boolean): void => {
        clearTimeout(timer);
        resolve(applied);
      };
      const untilMs = performance.now() + timeoutMs;
      if (!this.versionWaits.add(actor, version, untilMs, () => ends(true))) ends(false);
    });
  }

  async #waitPeers(
    version: number,
    peers: number | "all",
    timeoutMs: number,
  ): Promise<{ readonly wanted: number; readonly applied: number }> {
    const begunMs = performance.now();
    const own = this.#parts.host?.replica.actor;
    // The client may have been answered before the protocol was told of its version.
    if (own !== undefined) await this.#waitApplied(own, version, timeoutMs);
    return this.#askPeers(version, peers, timeoutMs - (performance.now() - begunMs));
  }

  #askPeers(
    version: number,
    peers: number | "all",
    timeoutMs: number,
  ): Promise<{ readonly wanted: number; readonly applied: number }> {
    const { host } = this.#parts;
    if (host === null) return Promise.resolve({ wanted: peers === "all" ? 0 : peers, applied: 0 });
    const { membership, actor } = host.replica;
    const self = membership.identity.address;
    const reachable = membership
      .members()
      .filter(({ address, state }) => address !== self && isReachable(state))
      .map(({ address }) => address);
    const wanted = peers === "all" ? reachable.length : peers;
    host.hurry();
    return new Promise((resolve) => {
      this.#asked = { actor, version };
      this.#peerWaits.begin(reachable, wanted, timeoutMs, resolve);
      this.#asked = null;
    });
  }

  async #status(): Promise<NetStatus> {
    const info = await this.#storeInfo();
    const { host, store, transport } = this.#parts;
    return netStatus({
      host,
      store,
      info,
      transport,
      loopDelay: this.loopDelay.recent(performance.now()),
      counters: {
        ...sealCounters(this.#parts.sealing),
        rejected_at_the_door_total: this.rejectedDoors,
        version_waits: this.versionWaits.size,
        peer_waits: this.#peerWaits.size,
      },
    });
  }

  async #storeInfo(): Promise<StoreInfo | null> {
    const nowMs = performance.now();
    if (this.#info !== null && nowMs - this.#info.at < storeInfoKeptMs) return this.#info.info;
    const { store } = this.#parts;
    // A store that is busy for long would keep whoever asks for the status waiting.
    if (store === null || store.busyMs > storeInfoKeptMs) return this.#info?.info ?? null;
    const answer = await store.call({ type: "info" });
    if (answer.type === "info") this.#info = { at: nowMs, info: answer.info };
    return this.#info?.info ?? null;
  }

  async #migrate(
    schema: Extract<NetRequest, { type: "migrate" }>["schema"],
  ): Promise<MigrateReply> {
    const { store, host } = this.#parts;
    const answer = await store?.call({ type: "migrate", schema });
    if (answer?.type !== "migrated") {
      const why = answer?.type === "failed" ? answer.why : "the store is closed";
      return { type: "refused", why };
    }
    host?.replica.schemaChanged(answer.schema.hash, answer.quarantined > 0);
    host?.handle({ type: "committed", chunks: [], summary: answer.summary });
    return { type: "migrated", schema: answer.schema, changed: answer.changed };
  }

  async #check(): Promise<readonly { readonly where: string; readonly what: string }[]> {
    const answer = await this.#parts.store?.call({ type: "check" });
    if (answer?.type === "checked") return answer.problems;
    const what = answer?.type === "failed" ? answer.why : "the store is closed";
    return [{ where: "file", what }];
  }
}

function sealCounters(sealing: Sealing | null): Record<string, number> {
  if (sealing === null) return {};
  const { waiting, keys, ...counts } = sealing.stats();
  return { ...totals(counts, "seals_"), seals_waiting: waiting, author_keys: keys };
}

function isReachable(state: string): boolean {
  return state === "alive" || state === "suspect";
}
