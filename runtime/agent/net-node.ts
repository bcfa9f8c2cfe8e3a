/**
 * What runs on the network thread: transport, replica and the door to the store process, put
 * together and driven by what the main thread asks for.
 */
import type { ActorId, Address, NodeId } from "../../core/base/ids.ts";
import type { Notice } from "../../core/node/event.ts";
import type { Identity } from "../../core/swim/identity.ts";
import type {
  Transport,
  TransportEvents,
  TransportOptions,
  TransportTls,
} from "../net/transport.ts";
import { CertificateError } from "../security/certificate-info.ts";
import type { SigningKey } from "../store-process/author-key.ts";
import { type Opened, StoreClient } from "../store-process/store-client.ts";
import type { NetCommand, NetFailure, NetMember, NetOptions, NetReport } from "./net-messages.ts";
import { NetRequests, type NodeParts } from "./net-requests.ts";
import { makeSealing, rotateSigning, signingKeyOf } from "./net-signing.ts";
import { logNotice } from "./notice-log.ts";
import { randomHexId } from "./random.ts";
import { realProfile } from "./real-profile.ts";
import { ReplicaHost } from "./replica-host.ts";
import { Reports } from "./reports.ts";
import { SeedWatch } from "./seed-watch.ts";
import { ofPeers, StoreFailures } from "./store-failures.ts";
import { StoreUpkeep } from "./store-upkeep.ts";
import { Unreached } from "./unreached.ts";

export type OpenTransport = (options: TransportOptions) => Promise<Transport>;

/** Joining has had its first attempt after this long, whoever answered. */
const joinAttemptMs = 2000;
const joinLookMs = 20;
const damageTold =
  "the database is damaged: stop the node and restore a backup, or move the file away to begin empty and be filled by the peers";
/** The store may finish what it is at when the node ends. */
const storeGraceMs = 2000;
/** What waits to be sent when the node ends has this long. */
const closeGraceMs = 500;

export class NetNode {
  readonly #options: NetOptions;
  readonly #reports: Reports;
  readonly #openTransport: OpenTransport;
  readonly #parts: NodeParts;
  readonly #requests: NetRequests;
  readonly #rtts = new Map<Address, number>();
  /** Not told to the main thread yet. */
  readonly #freshRtts = new Map<Address, number>();
  #seeds: SeedWatch | null = null;
  #left: (() => void) | null = null;
  #stopping = false;

  constructor(options: NetOptions, report: (report: NetReport) => void, transport: OpenTransport) {
    this.#options = options;
    this.#reports = new Reports(report);
    this.#openTransport = transport;
    this.#parts = {
      reports: this.#reports,
      store: null,
      host: null,
      transport: null,
      sealing: null,
    };
    this.#requests = new NetRequests(this.#parts, (tls) => this.#rotate(tls));
  }

  #signing: SigningKey | null = null;
  readonly #storeFailures = new StoreFailures(
    (level, message, fields) => this.#reports.log(level, message, fields),
    (why) => this.#reports.send({ type: "storing", failing: why }),
    ofPeers,
  );
  readonly #unreached = new Unreached((message, fields) =>
    this.#reports.rareLog("warn", message, fields),
  );

  readonly #upkeep = new StoreUpkeep({
    store: () => this.#parts.store,
    look: () => this.#look(),
    damaged: (what) => this.#reports.log("error", damageTold, { what }),
  });

  /** Opens the database, listens, and begins to join. What goes wrong is reported. */
  async start(): Promise<void> {
    try {
      this.#signing = signingKeyOf(this.#options);
    } catch (error) {
      this.#fail(`gossip.sign: ${(error as Error).message}`, "certificate");
      return;
    }
    const opened = await this.#openStore();
    if (opened === null) return;
    const { tls } = this.#options;
    if (this.#signing !== null && tls !== null) {
      this.#parts.sealing = makeSealing(this.#parts, this.#signing, tls.ca, opened);
    }
    const epoch = Math.max(opened.epoch + 1, Date.now());
    if (!(await this.#saveEpoch(epoch))) return;
    const transport = await this.#listen();
    if (transport === null) return;
    const { gossip, name } = this.#options;
    const address = (gossip.externalAddr ?? transport.listening) as Address;
    const { node: nodeId, actor, schema } = opened;
    const identity: Identity = { address, nodeId, epoch, actor, name, region: gossip.region };
    this.#parts.host = this.#makeHost(identity, opened, transport);
    const { listening } = transport;
    this.#reports.send({ type: "started", actorId: actor, nodeId, address, listening, schema });
    this.#memberChanged(address);
    await this.#join(address);
    this.#upkeep.start();
  }

  handle(command: NetCommand): void {
    switch (command.type) {
      case "request":
        void this.#requests.answer(command.request).then(
          (value) => this.#reports.send({ type: "reply", id: command.id, value }),
          (error: unknown) => this.#broke(error),
        );
        break;
      case "trace":
        if (this.#parts.host !== null) this.#parts.host.tracing = command.wanted;
        break;
      case "restartStore":
        this.#parts.store?.restart(command.why);
        break;
      case "stop":
        void this.#stop(command.graceMs);
        break;
    }
  }

  // Start

  async #openStore(): Promise<Opened | null> {
    const { db, door, schema } = this.#options;
    const result = await StoreClient.open({
      path: db.path,
      door,
      open: () => ({
        path: db.path,
        synchronous: db.synchronous,
        scrubHours: db.scrubHours,
        schema,
        freshActor: randomHexId() as ActorId,
        freshNode: randomHexId() as NodeId,
        signing: this.#signing,
      }),
      ownHead: () => this.#parts.host?.ownHead ?? 0,
      committed: (chunks, summary) => this.#parts.host?.committed(chunks, summary),
      log: (level, message, fields) => this.#reports.log(level, message, fields),
      ended: ({ why, code }) => this.#fail(why, code),
    });
    if ("type" in result) {
      this.#fail(result.why, result.code);
      return null;
    }
    this.#parts.store = result.client;
    const { renewal } = result.opened;
    if (renewal !== null) {
      this.#reports.log("warn", "the node goes on under a fresh id", { ...renewal });
    }
    return result.opened;
  }

  /** An epoch that others have seen must never be used again, so it is kept before its first use. */
  async #saveEpoch(epoch: number): Promise<boolean> {
    const answer = await this.#parts.store?.call({ type: "saveEpoch", epoch });
    if (answer?.type === "done") return true;
    if (!this.#stopping) {
      this.#fail(answer?.type === "failed" ? answer.why : "the store is closed", "disk");
    }
    return false;
  }

  async #listen(): Promise<Transport | null> {
    const { gossip, tls, plaintextAnywhere } = this.#options;
    try {
      this.#parts.transport = await this.#openTransport({
        listen: gossip.addr,
        ...(gossip.externalAddr === null ? {} : { advertise: gossip.externalAddr as Address }),
        clusterId: gossip.clusterId,
        tls,
        plaintextAnywhere,
        kind: gossip.transport,
        events: this.#transportEvents(),
        withoutQuic: (why) =>
          this.#reports.log("warn", "no QUIC: the node talks TLS over TCP alone", { why }),
      });
      return this.#parts.transport;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof CertificateError) this.#fail(`gossip.tls: ${why}`, "certificate");
      else this.#fail(`gossip.addr: ${listenReason(gossip.addr, why)}`, "listen");
      return null;
    }
  }

  #transportEvents(): TransportEvents {
    const parts = this.#parts;
    return {
      message: (from, channel, bytes) => {
        const { sealing } = parts;
        if (channel === "host") {
          if (sealing?.hostMessage(from, bytes) !== true) {
            this.#requests.hostMessage(from.address, bytes);
          }
        } else if (sealing !== null && channel !== "swim") {
          sealing.message(from, channel, bytes);
        } else {
          parts.host?.message(from.address, channel, bytes);
        }
      },
      unreachable: (to, channel, why) => {
        const alone = (parts.host?.replica.membership.size ?? 1) === 1;
        this.#unreached.note(performance.now(), to, why, alone);
        if (channel !== "host") parts.host?.handle({ type: "unreachable", to, plane: channel });
      },
      rtt: (peer, rttMs) => {
        this.#rtts.set(peer, rttMs);
        this.#freshRtts.set(peer, rttMs);
        parts.host?.handle({ type: "rtt", peer, rttMs });
      },
      datagramBytes: () => {},
      udp: (to, passes) => {
        if (passes) this.#reports.rareLog("info", "UDP reaches a peer again", { to });
        else this.#reports.rareLog("warn", "UDP does not reach a peer: TCP does", { to });
      },
      behind: () => parts.sealing?.behind ?? false,
      rejected: (from, why) => {
        this.#requests.rejectedDoors++;
        this.#reports.rareLog("warn", "a stranger was turned away", { from, why });
      },
    };
  }

  #makeHost(identity: Identity, opened: Opened, transport: Transport): ReplicaHost {
    return new ReplicaHost({
      identity,
      opened,
      config: realProfile(this.#options.gossip),
      send: (to, plane, reliable, bytes) => transport.send(to, plane, reliable, bytes),
      store: (request, done) =>
        this.#parts.store?.protocol(request, (response) => {
          if (!this.#stopping && request.type === "receive") {
            const why = response.type === "failed" ? response.why : null;
            this.#storeFailures.note(performance.now(), why);
          }
          done(response);
        }),
      notice: (notice) => this.#noticed(notice),
      moved: (actor) => this.#requests.versionWaits.moved(actor),
      trace: (event) => this.#reports.trace(event),
      late: (ms) => this.#requests.loopDelay.add(performance.now(), ms),
      broke: (error) => this.#broke(error),
    });
  }

  async #join(self: Address): Promise<void> {
    let begun = false;
    this.#seeds = new SeedWatch({
      bootstrap: this.#options.gossip.bootstrap,
      self,
      knows: (address) => this.#parts.host?.replica.membership.memberOf(address) !== undefined,
      alone: () => (this.#parts.host?.replica.membership.size ?? 1) === 1,
      tell: (seeds) => {
        this.#parts.host?.handle({ type: begun ? "seeds" : "start", seeds });
        if (begun) this.#reports.log("info", "the seeds have changed", { seeds });
        begun = true;
      },
      failing: (name, why) => {
        if (why === null) this.#reports.log("info", "a bootstrap name is known now", { name });
        else this.#reports.log("warn", "a bootstrap name cannot be looked up", { name, why });
      },
    });
    await this.#seeds.start();
    const begunMs = performance.now();
    const look = (): void => {
      const waitedMs = performance.now() - begunMs;
      const joining = this.#parts.host?.replica.membership.joining === true;
      if (joining && waitedMs < joinAttemptMs) setTimeout(look, joinLookMs);
      else this.#reports.send({ type: "joined" });
    };
    look();
  }

  #fail(why: string, code: NetFailure): void {
    this.#parts.host?.stop();
    this.#reports.send({ type: "failed", why, code });
  }

  #broke(error: unknown): void {
    this.#fail(error instanceof Error ? (error.stack ?? error.message) : String(error), "bug");
  }

  /** @returns why the certificates are not taken over; null: they are. */
  async #rotate(tls: TransportTls): Promise<string | null> {
    try {
      const signing = signingKeyOf({ ...this.#options, tls });
      this.#parts.transport?.rotate(tls);
      if (signing === null || this.#signing === null) return null;
      const why = await rotateSigning(this.#parts, signing, tls.ca);
      if (why === null) this.#signing = signing;
      return why;
    } catch (error) {
      return (error as Error).message;
    }
  }

  // Notices

  #noticed(notice: Notice): void {
    logNotice(notice, this.#reports);
    switch (notice.type) {
      case "member":
        this.#memberChanged(notice.about);
        if (this.#parts.host?.tracing === true) {
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
        break;
      default:
        break;
    }
  }

  #memberChanged(about: Address): void {
    const member = this.#parts.host?.replica.membership.memberOf(about);
    if (member === undefined) return;
    const { name, actor, address, state, incarnation, region, epoch } = member;
    const rttMs = this.#rtts.get(address) ?? null;
    const told: NetMember = {
      name,
      actorId: actor,
      addr: address,
      state,
      incarnation,
      region,
      rttMs,
      epoch,
    };
    this.#reports.send({ type: "members", list: [told] });
  }

  /** Now and then: what waits here and has waited long enough. */
  #look(): void {
    this.#requests.versionWaits.sweep(performance.now());
    if (this.#freshRtts.size === 0) return;
    this.#reports.send({ type: "rtts", list: [...this.#freshRtts] });
    this.#freshRtts.clear();
  }

  // End

  /** Leaves the cluster, ends what is under way, closes the database. */
  async #stop(graceMs: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#upkeep.stop();
    this.#seeds?.stop();
    await this.#leave(graceMs);
    const { store, host, transport } = this.#parts;
    await store?.close(storeGraceMs);
    host?.stop();
    await transport?.close(closeGraceMs);
    this.#reports.send({ type: "stopped" });
  }

  #leave(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#left = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#parts.host === null) this.#left();
      else {
        this.#parts.host.hurry();
        this.#parts.host.handle({ type: "leave" });
      }
    });
  }
}

/** What to do about an address that cannot be had, where that is known. */
function listenReason(addr: string, why: string): string {
  if (why.includes("EADDRINUSE")) {
    return `${addr} is in use by another process; stop that one, or take another port`;
  }
  if (why.includes("EADDRNOTAVAIL")) {
    return `this machine has no address ${addr}; listen on one that it has, and say by gossip.external_addr what peers dial`;
  }
  return why;
}
