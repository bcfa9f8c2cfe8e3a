/**
 * What runs on the network thread: transport, replica and the door to the store process, put
 * together and driven by what the main thread asks for.
 */
import type { ActorId, Address, NodeId } from "../../core/base/ids.ts";
import { profileConfig, type ReplicaConfig } from "../../core/node/config.ts";
import type { Notice } from "../../core/node/event.ts";
import type { Identity } from "../../core/swim/identity.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import type { Channel, Peer, Transport, TransportOptions } from "../net/transport.ts";
import type { StoreInfo } from "../store-process/messages.ts";
import { type Opened, StoreClient } from "../store-process/store-client.ts";
import { decodeHost, encodeHost } from "./host-messages.ts";
import { LoopDelay } from "./loop-delay.ts";
import type {
  MigrateReply,
  NetCommand,
  NetMember,
  NetOptions,
  NetReport,
  NetRequest,
  NetStatus,
} from "./net-messages.ts";
import { PeerWaits } from "./peer-waits.ts";
import { randomHexId } from "./random.ts";
import { ReplicaHost } from "./replica-host.ts";
import { Reports } from "./reports.ts";
import { resolveSeeds } from "./seeds.ts";
import { netStatus } from "./net-status.ts";
import { VersionWaits } from "./version-waits.ts";

export type OpenTransport = (options: TransportOptions) => Promise<Transport>;

/** A peer's question is remembered for so long. */
const peerQuestionMs = 120_000;
/** Joining has had its first attempt after this long, whoever answered. */
const joinAttemptMs = 2000;
/** Upkeep of the store, and of what waits here. */
const upkeepEveryMs = 1000;
/** Slices of upkeep follow one another after this long, while there is more to do. */
const upkeepPauseMs = 20;
const storeInfoKeptMs = 1000;

export class NetNode {
  readonly #options: NetOptions;
  readonly #reports: Reports;
  readonly #openTransport: OpenTransport;
  readonly #loopDelay = new LoopDelay();
  readonly #rtts = new Map<Address, number>();
  /** Not told to the main thread yet. */
  readonly #freshRtts = new Map<Address, number>();
  readonly #peerWaits = new PeerWaits((to, id) => this.#askApplied(to, id));
  readonly #versionWaits = new VersionWaits((actor, version) => this.#holds(actor, version));
  #store: StoreClient | null = null;
  #host: ReplicaHost | null = null;
  #transport: Transport | null = null;
  #asked: { readonly actor: ActorId; readonly version: number } | null = null;
  #info: { readonly at: number; readonly info: StoreInfo } | null = null;
  #left: (() => void) | null = null;
  #stopping = false;
  #rejectedDoors = 0;
  #upkeepTimer: NodeJS.Timeout | null = null;
  #upkeepLeft: "now" | "later" | "no" = "later";

  constructor(options: NetOptions, report: (report: NetReport) => void, transport: OpenTransport) {
    this.#options = options;
    this.#reports = new Reports(report);
    this.#openTransport = transport;
  }

  /** Opens the database, listens, and begins to join. What goes wrong is reported. */
  async start(): Promise<void> {
    const opened = await this.#openStore();
    if (opened === null) return;
    const epoch = Math.max(opened.epoch + 1, Date.now());
    if (!(await this.#saveEpoch(epoch))) return;
    const transport = await this.#listen();
    if (transport === null) return;
    const { gossip, name } = this.#options;
    const address = (gossip.externalAddr ?? transport.listening) as Address;
    const identity: Identity = {
      address,
      nodeId: opened.node,
      epoch,
      actor: opened.actor,
      name,
      region: gossip.region,
    };
    this.#host = this.#makeHost(identity, opened, transport);
    this.#reports.send({
      type: "started",
      actorId: opened.actor,
      nodeId: opened.node,
      address,
      listening: transport.listening,
      schema: opened.schema,
    });
    await this.#join(address);
    this.#scheduleUpkeep(upkeepEveryMs);
  }

  // Start

  async #openStore(): Promise<Opened | null> {
    const { db, schema } = this.#options;
    const result = await StoreClient.open({
      path: db.path,
      open: () => ({
        path: db.path,
        synchronous: db.synchronous,
        schema,
        freshActor: randomHexId() as ActorId,
        freshNode: randomHexId() as NodeId,
      }),
      ownHead: () => this.#host?.ownHead ?? 0,
      committed: (chunks, summary) => this.#host?.committed(chunks, summary),
      answered: (id, bytes) => this.#reports.answer(id, bytes),
      log: (level, message, fields) => this.#reports.log(level, message, fields),
      ended: ({ why, code }) => this.#fail(why, code),
    });
    if ("type" in result) {
      this.#fail(result.why, result.code);
      return null;
    }
    this.#store = result.client;
    const { renewal } = result.opened;
    if (renewal !== null) {
      this.#reports.log("warn", "the node goes on under a fresh id", { ...renewal });
    }
    return result.opened;
  }

  /** An epoch that others have seen must never be used again, so it is kept before its first use. */
  async #saveEpoch(epoch: number): Promise<boolean> {
    const answer = await this.#store?.call({ type: "saveEpoch", epoch });
    if (answer?.type === "done") return true;
    this.#fail(answer?.type === "failed" ? answer.why : "the store is closed", "disk");
    return false;
  }

  async #listen(): Promise<Transport | null> {
    const { gossip, tls } = this.#options;
    try {
      this.#transport = await this.#openTransport({
        listen: gossip.addr,
        ...(gossip.externalAddr === null ? {} : { advertise: gossip.externalAddr as Address }),
        clusterId: gossip.clusterId,
        tls,
        kind: gossip.transport,
        events: {
          message: (from, channel, bytes) => this.#message(from, channel, bytes),
          unreachable: (to, channel) => {
            if (channel !== "host") this.#host?.handle({ type: "unreachable", to, plane: channel });
          },
          rtt: (peer, rttMs) => {
            this.#rtts.set(peer, rttMs);
            this.#freshRtts.set(peer, rttMs);
            this.#host?.handle({ type: "rtt", peer, rttMs });
          },
          datagramBytes: () => {},
          rejected: (from, why) => {
            this.#rejectedDoors++;
            this.#reports.rareLog("warn", "a stranger was turned away", { from, why });
          },
        },
      });
      return this.#transport;
    } catch (error) {
      this.#fail(listenReason(gossip.addr, error), "listen");
      return null;
    }
  }

  #makeHost(identity: Identity, opened: Opened, transport: Transport): ReplicaHost {
    return new ReplicaHost({
      identity,
      opened,
      config: this.#replicaConfig(),
      send: (to, plane, reliable, bytes) => transport.send(to, plane, reliable, bytes),
      store: (request, done) => this.#store?.protocol(request, done),
      notice: (notice) => this.#noticed(notice),
      moved: (actor) => this.#versionWaits.moved(actor),
      trace: (event) => this.#reports.trace(event),
      late: (ms) => this.#loopDelay.add(performance.now(), ms),
      broke: (error) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#fail(why, "bug");
      },
    });
  }

  #replicaConfig(): ReplicaConfig {
    const { profile, broadcast } = this.#options.gossip;
    const config = profileConfig(profile);
    return { ...config, gossip: { ...config.gossip, mode: broadcast } };
  }

  async #join(self: Address): Promise<void> {
    const seeds = await resolveSeeds(this.#options.gossip.bootstrap, self);
    for (const { name, why } of seeds.failed) {
      this.#reports.log("warn", "a bootstrap name cannot be looked up", { name, why });
    }
    this.#host?.handle({ type: "start", seeds: seeds.addresses });
    const begunMs = performance.now();
    const look = (): void => {
      const waited = performance.now() - begunMs;
      if (this.#host?.replica.membership.joining === true && waited < joinAttemptMs) {
        setTimeout(look, 20);
      } else this.#reports.send({ type: "joined" });
    };
    look();
  }

  #fail(why: string, code: Extract<NetReport, { type: "failed" }>["code"]): void {
    this.#host?.stop();
    this.#reports.send({ type: "failed", why, code });
  }

  // From the network

  #message(from: Peer, channel: Channel, bytes: Uint8Array): void {
    if (channel === "host") this.#hostMessage(from.address, bytes);
    else this.#host?.message(from.address, channel, bytes);
  }

  #hostMessage(from: Address, bytes: Uint8Array): void {
    let message: ReturnType<typeof decodeHost>;
    try {
      message = decodeHost(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#reports.rareLog("warn", "a host sent what cannot be read", { from, why: error.message });
      return;
    }
    if (message === null) return;
    if (message.kind === "applied") {
      this.#peerWaits.applied(from, message.id);
      return;
    }
    const { id, actor, version } = message;
    this.#versionWaits.add(actor, version, performance.now() + peerQuestionMs, () => {
      this.#transport?.send(from, "host", true, encodeHost({ kind: "applied", id }));
    });
  }

  #noticed(notice: Notice): void {
    switch (notice.type) {
      case "member":
        this.#memberChanged(notice.about);
        if (this.#host?.tracing === true) {
          const { about, state, incarnation: inc, epoch } = notice;
          this.#reports.trace({ k: "member", about, state, inc, epoch });
        }
        break;
      case "forgotten":
        this.#rtts.delete(notice.about);
        this.#reports.send({ type: "forgotten", addr: notice.about });
        break;
      case "left":
        this.#left?.();
        break;
      case "renewed":
        void this.#saveEpoch(notice.epoch);
        this.#reports.log("info", "the node renewed its identity", { why: notice.why });
        break;
      case "identityConflict":
        this.#reports.rareLog("error", "another node claims this node's address", {
          address: notice.address,
          other: notice.other,
        });
        break;
      case "divergence":
        this.#reports.log("error", "rows differ from a peer's though both hold the same versions", {
          peer: notice.peer,
          table: notice.table,
        });
        break;
      case "repaired":
        this.#reports.log("warn", "rows were repaired", { peer: notice.peer, table: notice.table, rows: notice.rows });
        break;
      case "rejected":
        this.#reports.rareLog("warn", "a message was rejected", { from: notice.from, plane: notice.plane, why: notice.why });
        break;
      case "overflow":
        this.#reports.rareLog("warn", "a queue was full", { queue: notice.queue, count: notice.count });
        break;
      case "synced":
        this.#reports.log("debug", "caught up", { peer: notice.peer, versions: notice.versions });
        break;
      case "need":
      case "unknown":
        break;
    }
  }

  #memberChanged(about: Address): void {
    const member = this.#host?.replica.membership.memberOf(about);
    if (member !== undefined) this.#reports.members([this.#memberInfo(member)]);
  }

  #memberInfo(member: Identity & { state: NetMember["state"]; incarnation: number }): NetMember {
    const { name, actor, address, state, incarnation, region, epoch } = member;
    const rttMs = this.#rtts.get(address) ?? null;
    return { name, actorId: actor, addr: address, state, incarnation, region, rttMs, epoch };
  }

  // From the main thread

  handle(command: NetCommand): void {
    switch (command.type) {
      case "transact":
        this.#transact(command.list);
        break;
      case "request":
        void this.#request(command.request).then(
          (value) => this.#reports.send({ type: "reply", id: command.id, value }),
          (error: unknown) => this.#fail(String(error), "bug"),
        );
        break;
      case "rotate":
        this.#transport?.rotate(command.tls);
        break;
      case "trace":
        if (this.#host !== null) this.#host.tracing = command.wanted;
        break;
      case "stop":
        void this.#stop(command.graceMs);
        break;
    }
  }

  #transact(list: Extract<NetCommand, { type: "transact" }>["list"]): void {
    this.#store?.transact(list);
  }

  #request(request: NetRequest): Promise<unknown> {
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
      case "ping":
        return Promise.resolve({ storeBusyMs: this.#store?.busyMs ?? 0 });
    }
  }

  #holds(actor: ActorId, version: number): boolean {
    return this.#host?.replica.ledger.get(actor)?.held.has(version) ?? false;
  }

  #waitApplied(actor: ActorId, version: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      const added = this.#versionWaits.add(actor, version, performance.now() + timeoutMs, () => {
        clearTimeout(timer);
        resolve(true);
      });
      if (!added) {
        clearTimeout(timer);
        resolve(false);
      }
    });
  }

  #waitPeers(
    version: number,
    peers: number | "all",
    timeoutMs: number,
  ): Promise<{ readonly wanted: number; readonly applied: number }> {
    const host = this.#host;
    if (host === null) return Promise.resolve({ wanted: peers === "all" ? 0 : peers, applied: 0 });
    const { membership, actor } = host.replica;
    const self = membership.identity.address;
    const reachable = membership
      .members()
      .filter(({ address, state }) => address !== self && (state === "alive" || state === "suspect"));
    const wanted = peers === "all" ? reachable.length : peers;
    return new Promise((resolve) => {
      this.#asked = { actor, version };
      const addresses = reachable.map(({ address }) => address);
      this.#peerWaits.begin(addresses, wanted, timeoutMs, resolve);
      this.#asked = null;
    });
  }

  #askApplied(to: Address, id: number): void {
    if (this.#asked === null) return;
    const question = encodeHost({ kind: "askApplied", id, ...this.#asked });
    this.#transport?.send(to, "host", true, question);
  }

  async #status(): Promise<NetStatus> {
    const store = await this.#storeInfo();
    return netStatus({
      host: this.#host,
      store: this.#store,
      info: store,
      transport: this.#transport,
      loopDelay: this.#loopDelay.recent(performance.now()),
      counters: {
        rejectedAtTheDoor: this.#rejectedDoors,
        versionWaits: this.#versionWaits.size,
        peerWaits: this.#peerWaits.size,
      },
    });
  }

  async #storeInfo(): Promise<StoreInfo | null> {
    const nowMs = performance.now();
    if (this.#info !== null && nowMs - this.#info.at < storeInfoKeptMs) return this.#info.info;
    const store = this.#store;
    // A store that is busy for long would keep whoever asks for the status waiting.
    if (store === null || store.busyMs > storeInfoKeptMs) return this.#info?.info ?? null;
    const answer = await store.call({ type: "info" });
    if (answer.type === "info") this.#info = { at: nowMs, info: answer.info };
    return this.#info?.info ?? null;
  }

  async #migrate(
    schema: Extract<NetRequest, { type: "migrate" }>["schema"],
  ): Promise<MigrateReply> {
    const answer = await this.#store?.call({ type: "migrate", schema });
    if (answer?.type !== "migrated") {
      return { type: "refused", why: answer?.type === "failed" ? answer.why : "the store is closed" };
    }
    this.#host?.replica.schemaChanged(answer.schema.hash, answer.quarantined > 0);
    this.#host?.handle({ type: "committed", chunks: [], summary: answer.summary });
    return { type: "migrated", schema: answer.schema, changed: answer.changed };
  }

  async #check(): Promise<readonly { readonly where: string; readonly what: string }[]> {
    const answer = await this.#store?.call({ type: "check" });
    if (answer?.type === "checked") return answer.problems;
    const what = answer?.type === "failed" ? answer.why : "the store is closed";
    return [{ where: "file", what }];
  }

  // Upkeep and end

  #scheduleUpkeep(delayMs: number): void {
    if (this.#stopping) return;
    this.#upkeepTimer = setTimeout(() => void this.#upkeep(), delayMs);
    this.#upkeepTimer.unref();
  }

  async #upkeep(): Promise<void> {
    this.#versionWaits.sweep(performance.now());
    if (this.#freshRtts.size > 0) {
      this.#reports.send({ type: "rtts", list: [...this.#freshRtts] });
      this.#freshRtts.clear();
    }
    const dirty = this.#store?.takeDirty() === true;
    if (dirty || this.#upkeepLeft !== "no") {
      const answer = await this.#store?.call({ type: "upkeep", dirty }, "upkeep");
      this.#upkeepLeft = answer?.type === "upkeep" ? answer.more : "no";
    }
    this.#scheduleUpkeep(this.#upkeepLeft === "now" ? upkeepPauseMs : upkeepEveryMs);
  }

  /** Leaves the cluster, ends what is under way, closes the database. */
  async #stop(graceMs: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.#upkeepTimer !== null) clearTimeout(this.#upkeepTimer);
    await this.#leave(graceMs);
    await this.#store?.close();
    this.#host?.stop();
    await this.#transport?.close(500);
    this.#reports.send({ type: "stopped" });
  }

  #leave(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#left = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#host === null) this.#left();
      else this.#host.handle({ type: "leave" });
    });
  }
}

function listenReason(addr: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return `gossip.addr: ${addr} is in use by another process; stop that one or take another port`;
  }
  if (code === "EADDRNOTAVAIL") {
    return `gossip.addr: this machine has no address ${addr}; listen on one that it has, and give peers another by gossip.external_addr`;
  }
  return `gossip.addr: cannot listen on ${addr}: ${message}`;
}
