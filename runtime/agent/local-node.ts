/** The node's service on the main thread: what the HTTP API asks, passed on to the thread or process that does it. */
import { address } from "../../core/base/ids.ts";
import { ConfigError } from "../config/config-error.ts";
import { machineMs } from "../ipc/clock.ts";
import type { Logger } from "../observe/logger.ts";
import { LiveTrace } from "../observe/live-trace.ts";
import type { TransportStats, TransportTls } from "../net/transport.ts";
import { NearReader } from "../readers/near-reader.ts";
import { sizeOfStatements } from "../readers/query-rules.ts";
import { ReaderPool } from "../readers/reader-pool.ts";
import type { SchemaSource } from "../store/schema-source.ts";
import type { StoredSchema } from "../store-process/messages.ts";
import { refusals } from "../store-process/recovery.ts";
import { resultOf } from "../store-process/result.ts";
import { progressPathOf } from "../store-process/store-client.ts";
import { TransactionClient } from "../store-process/transaction-client.ts";
import { maxWaiting } from "../store-process/transaction-queue.ts";
import { MemberList } from "./member-list.ts";
import type { MigrateReply, NetFailure, NetOptions, NetReport, NetStatus } from "./net-messages.ts";
import { NetThread } from "./net-thread.ts";
import type {
  MemberInfo,
  NodeService,
  NodeStatus,
  QueryRequest,
  QueryResult,
  SchemaInfo,
  Statement,
  TransactRequest,
  TransactResult,
  WholeResult,
} from "./node-service.ts";
import { ServiceError } from "./node-service.ts";
import { ofClients, StoreFailures } from "./store-failures.ts";
import { Storing } from "./storing.ts";

export interface LocalNodeOptions {
  readonly net: Omit<NetOptions, "door">;
  readonly log: Logger;
  /** Of the program. */
  readonly version: string;
  /** Reader processes at the most. */
  readonly maxReaders: number;
  /** What `reload` does; the service itself knows no files. */
  readonly reload: () => Promise<readonly string[]>;
  /** The node cannot go on. */
  readonly failed: (failure: { readonly why: string; readonly code: NetFailure }) => void;
}

export type Started = Extract<NetReport, { type: "started" }>;

/** A reader that had nothing to do for so long is ended: it costs some 30 MB… */
const readerIdleMs = 300_000;
/** …and the last one after this, so that who asks every now and then waits for no start. */
const lastReaderIdleMs = 3_600_000;
/** What clients have asked before the node stops may take so long. */
const drainGraceMs = 1000;

export class LocalNode implements NodeService {
  readonly #options: LocalNodeOptions;
  readonly #transactions: TransactionClient;
  readonly #net: NetThread;
  readonly #readers: ReaderPool;
  readonly #near: NearReader;
  readonly #members = new MemberList();
  readonly #trace: LiveTrace;
  readonly #schemaListeners = new Set<() => void>();
  readonly #beganMs = machineMs();
  #started: Started | null = null;
  #schema: StoredSchema = { statements: [], hash: "0000000000000000", tables: [] };
  #joined = false;
  readonly #storing = new Storing();
  readonly #committing = new Storing();
  readonly #commitFailures: StoreFailures;
  #stopping = false;
  #stopped: (() => void) | null = null;
  #starting: ((started: Started) => void) | null = null;

  constructor(options: LocalNodeOptions) {
    this.#options = options;
    const { path } = options.net.db;
    this.#readers = new ReaderPool({
      path,
      maxReaders: options.maxReaders,
      idleMs: readerIdleMs,
      lastIdleMs: lastReaderIdleMs,
    });
    this.#near = new NearReader(path);
    this.#transactions = new TransactionClient({
      progressPath: progressPathOf(path),
      // Who is told of a commit finds it.
      answering: () => this.#near.refresh(),
      restart: (why) => this.#net.send({ type: "restartStore", why }),
      ended: (end) => options.failed(end),
    });
    this.#commitFailures = new StoreFailures(
      (level, message, fields) => options.log[level](fields, message),
      (why) => this.#committing.note(performance.now(), why),
      ofClients,
    );
    this.#net = new NetThread(
      { ...options.net, door: this.#transactions.key },
      () => this.#near.refresh(),
      (report) => this.#report(report),
      (error) => options.failed({ why: error.stack ?? error.message, code: "bug" }),
    );
    this.#trace = new LiveTrace({
      self: () => {
        const { name, gossip } = options.net;
        const at = address(this.#started?.address ?? gossip.addr);
        return { address: at, name, region: gossip.region, actor: this.actorId };
      },
      node: (address) => this.#members.node(address),
      schema: () => this.#schema.statements,
      present: () => this.#members.present(),
      wanted: (wanted) => this.#net.send({ type: "trace", wanted }),
      now: () => performance.now(),
    });
  }

  /** Until the database is open and the node listens. What keeps it from that is told to `failed`. */
  start(): Promise<Started> {
    return new Promise((resolve) => {
      this.#starting = resolve;
    });
  }

  get actorId(): string {
    return this.#started?.actorId ?? "";
  }

  get unready(): string | null {
    if (this.#stopping) return "the node is being stopped";
    if (!this.#joined) return "the node has not joined yet";
    const peers = this.#storing.whyNot(performance.now());
    if (peers !== null) return `what peers send cannot be stored: ${peers}`;
    const clients = this.#committing.whyNot(performance.now());
    return clients === null ? null : `what clients write cannot be stored: ${clients}`;
  }

  get #storeFailing(): string | null {
    const nowMs = performance.now();
    return this.#storing.whyNot(nowMs) ?? this.#committing.whyNot(nowMs);
  }

  /** Queries that wait for a reader, and reader processes. */
  get readers(): ReaderPool {
    return this.#readers;
  }

  // What clients ask

  async transact(request: TransactRequest): Promise<TransactResult> {
    this.#refuseWhenStopping();
    const { timeoutMs, idempotencyKey: key } = request;
    const deadlineMs = timeoutMs === null ? null : machineMs() + timeoutMs;
    const statements = request.statements.map(({ sql, parameters }) => [sql, parameters] as const);
    const bytes = sizeOfStatements(request.statements);
    const result = resultOf(
      await this.#transactions.transact({ statements, bytes, deadlineMs, key }),
    );
    this.#noteCommit(result);
    return result;
  }

  /** The last transaction that had something to store says whether the disk takes it. */
  #noteCommit(result: TransactResult): void {
    if (result.type === "failed") {
      const { code, message } = result.error;
      if (code === "disk_full" || code === "store_failed") {
        this.#commitFailures.note(performance.now(), message);
      }
    } else if (result.version !== null) this.#commitFailures.note(performance.now(), null);
  }

  queryNow(statement: Statement): WholeResult | null {
    return this.#stopping || this.#started === null ? null : this.#near.query(statement);
  }

  query(request: QueryRequest): Promise<QueryResult> {
    if (this.#stopping) return Promise.reject(stopping());
    return this.#readers.query(request);
  }

  schema(): SchemaInfo {
    return this.#schema;
  }

  onSchema(changed: () => void): () => void {
    this.#schemaListeners.add(changed);
    return () => this.#schemaListeners.delete(changed);
  }

  waitApplied(actor: string, version: number, timeoutMs: number): Promise<boolean> {
    return this.#net.request({ type: "waitApplied", actor, version, timeoutMs });
  }

  waitPeers(
    version: number,
    peers: number | "all",
    timeoutMs: number,
  ): Promise<{ readonly wanted: number; readonly applied: number }> {
    return this.#net.request({ type: "waitPeers", version, peers, timeoutMs });
  }

  async status(): Promise<NodeStatus> {
    const net = await this.#net.request({ type: "status" });
    const { name, gossip } = this.#options.net;
    const { hash, tables } = this.#schema;
    const { store } = net;
    return {
      version: this.#options.version,
      name,
      actorId: this.actorId,
      nodeId: this.#started?.nodeId ?? "",
      clusterId: gossip.clusterId,
      region: gossip.region,
      addr: this.#started?.address ?? gossip.addr,
      uptimeSeconds: (machineMs() - this.#beganMs) / 1000,
      unready: this.unready,
      storeFailing: this.#storeFailing,
      schema: { hash, tables },
      members: net.members,
      lag: net.lag,
      p99Lag: net.p99Lag,
      gaps: net.gaps,
      heads: net.heads,
      queues: [
        ...net.queues,
        { name: "transactions", size: this.#transactions.waiting, max: maxWaiting },
        { name: "queries", size: this.#readers.queued, max: 4096 },
      ],
      queueSize: net.queueSize,
      db: {
        bytes: store?.bytes ?? 0,
        walBytes: store?.walBytes ?? 0,
        conflicts: (store?.conflicts ?? 0) + (store?.aside ?? 0),
        quarantined: store?.quarantined ?? 0,
        stateHash: net.hash,
        rows: net.rows,
      },
      counters: this.#counters(net),
    };
  }

  #counters(net: NetStatus): Record<string, number> {
    const { transport, store } = net;
    return {
      ...net.counters,
      net_loop_delay_p99_seconds: net.loopDelay.p99 / 1000,
      net_loop_delay_max_seconds: net.loopDelay.max / 1000,
      reader_processes: this.#readers.size,
      reader_kills_total: this.#readers.kills,
      db_free_bytes: store?.freeBytes ?? 0,
      db_tombstones: store?.tombstones ?? 0,
      db_scrub_damage: store?.scrubDamage ?? 0,
      db_scrub_timestamp_seconds: (store?.scrubbedMs ?? 0) / 1000,
      idempotency_keys: store?.answers ?? 0,
      ...(transport === null ? {} : ofTransport(transport)),
    };
  }

  members(): readonly MemberInfo[] {
    return this.#members.all();
  }

  onMember(changed: (member: MemberInfo) => void): () => void {
    return this.#members.on(changed);
  }

  onTrace(line: (line: string) => void, planes: ReadonlySet<string> | null): () => void {
    return this.#trace.subscribe(line, planes);
  }

  backup(path: string): Promise<void> {
    return this.#readers.backup(path);
  }

  async reload(): Promise<readonly string[]> {
    try {
      return await this.#options.reload();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const hint = "nothing was changed; mend the configuration and reload again";
      throw new ServiceError("refused", error.message, { hint });
    }
  }

  // What the operator asks

  /** @returns what changed; the schema is refused as a whole or taken as a whole. */
  async migrate(schema: readonly SchemaSource[]): Promise<MigrateReply> {
    const reply = await this.#net.request({ type: "migrate", schema });
    if (reply.type === "migrated" && reply.changed) {
      this.#schema = reply.schema;
      this.#near.forget();
      for (const changed of this.#schemaListeners) changed();
    }
    return reply;
  }

  check(): Promise<readonly { readonly where: string; readonly what: string }[]> {
    return this.#net.request({ type: "check" });
  }

  /** @returns why the certificates are not taken over; null: they are. */
  rotate(tls: TransportTls): Promise<string | null> {
    return this.#net.request({ type: "rotate", tls });
  }

  /** How long the store has been at its present command; how long the network thread takes to say so. */
  async pulse(): Promise<{ readonly storeBusyMs: number }> {
    const { storeBusyMs } = await this.#net.request({ type: "ping" });
    return { storeBusyMs: this.#transactions.busyMs(storeBusyMs) };
  }

  /** From now on it is not ready, and takes no new requests. */
  announceStop(): void {
    this.#stopping = true;
  }

  /** Leaves the cluster and closes the database. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#readers.close();
    this.#near.close();
    await this.#transactions.drain(drainGraceMs);
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    this.#net.send({ type: "stop", graceMs });
    await stopped;
    this.#transactions.close();
    await this.#net.terminate();
  }

  /** Ends threads and processes at once; the database is left as a crash would leave it. */
  async abandon(): Promise<void> {
    this.#readers.close();
    this.#near.close();
    this.#transactions.close();
    await this.#net.terminate();
  }

  #refuseWhenStopping(): void {
    if (this.#stopping) throw stopping();
  }

  // News of the network thread

  #report(report: NetReport): void {
    switch (report.type) {
      case "started":
        this.#started = report;
        this.#schema = report.schema;
        this.#starting?.(report);
        break;
      case "joined":
        this.#joined = true;
        break;
      case "storing":
        this.#storing.note(performance.now(), report.failing);
        break;
      case "failed":
        this.#transactions.close(refusals.crashed);
        this.#options.failed(report);
        break;
      case "members":
        this.#members.update(report.list);
        break;
      case "forgotten":
        this.#members.forget(report.addr);
        break;
      case "rtts":
        this.#members.rtts(report.list);
        break;
      case "log":
        this.#options.log[report.level](report.fields, report.message);
        break;
      case "trace":
        for (const event of report.events) this.#trace.record(event);
        break;
      case "stopped":
        this.#stopped?.();
        break;
      case "reply":
        break;
    }
  }
}

function ofTransport(stats: TransportStats): Record<string, number> {
  return {
    transport_connections: stats.connections,
    transport_tcp_connections: stats.connectionsOverTcp,
    transport_queued_bytes: stats.queuedBytes,
    transport_handshakes_total: stats.handshakes,
    transport_handshakes_refused_total: stats.handshakesRefused,
    transport_sent_bytes_total: stats.bytesSent,
    transport_received_bytes_total: stats.bytesReceived,
    transport_datagrams_sent_total: stats.datagramsSent,
    transport_datagrams_dropped_total: stats.datagramsDropped,
    transport_rejected_total: stats.rejected,
  };
}

function stopping(): ServiceError {
  return new ServiceError("shutting_down", "the node is stopping");
}
