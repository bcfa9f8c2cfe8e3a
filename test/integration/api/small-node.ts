/**
 * A node that is nothing but a database: one SqliteStore that writes, one connection that reads.
 * What other nodes would do, a test does by hand.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { actorId, address } from "../../../core/base/ids.ts";
import type { Value } from "../../../core/crdt/value.ts";
import {
  type MemberInfo,
  type NodeService,
  type NodeStatus,
  type QueryRequest,
  type QueryResult,
  type SchemaInfo,
  ServiceError,
  type TransactRequest,
  type TransactResult,
} from "../../../runtime/agent/node-service.ts";
import type { Parameters } from "../../../runtime/agent/node-service.ts";
import { LiveTrace } from "../../../runtime/observe/live-trace.ts";
import { fromSqlExact, toSqlExact } from "../../../runtime/store/sql-value.ts";
import { withoutPrefixes } from "../../../runtime/store-process/result.ts";
import { SqliteStore } from "../../../runtime/store/sqlite-store.ts";

export const smallActor = "0123456789abcdef0123456789abcdef";
const rowsInBatch = 64;

export class SmallNode implements NodeService {
  readonly actorId = smallActor;
  unready: string | null = null;
  readonly store: SqliteStore;
  readonly #folder: string;
  readonly #reader: Database.Database;
  #schema: string[];
  readonly #schemaWatchers = new Set<() => void>();
  readonly #memberWatchers = new Set<(member: MemberInfo) => void>();
  readonly #appliedWatchers = new Set<() => void>();
  readonly #answers = new Map<string, TransactResult>();
  readonly trace: LiveTrace;

  /** What other nodes are said to have applied, and what of this one's status a test wants to see. */
  peersApplied = 0;
  peersWanted = 0;
  memberList: MemberInfo[] = [];
  statusChanges: Partial<NodeStatus> = {};
  /** Queries that were begun and have not ended. */
  openQueries = 0;
  /** Rows read out of SQLite so far. */
  rowsRead = 0;
  /** Every batch waits for this. */
  beforeBatch: (() => Promise<void>) | null = null;
  beforeTransact: (() => Promise<void>) | null = null;
  /** What it says its schema is, where that is to be something else. */
  claimedSchema: readonly string[] | null = null;
  backups: string[] = [];
  transactions = 0;

  constructor(schema: readonly string[]) {
    this.#schema = [...schema];
    this.#folder = mkdtempSync(join(tmpdir(), "patina-api-"));
    const path = join(this.#folder, "state.db");
    this.store = new SqliteStore({ path, actor: actorId(smallActor), schema: [...schema] });
    this.#reader = new Database(path, { readonly: true });
    this.trace = new LiveTrace({
      self: () => ({
        address: address("127.0.0.1:8787"),
        name: "small",
        region: "here",
        actor: smallActor,
      }),
      node: () => null,
      schema: () => this.#schema,
      present: () => [],
      wanted: () => {},
      now: () => performance.now(),
    });
  }

  close(): void {
    this.#reader.close();
    this.store.close();
    rmSync(this.#folder, { recursive: true });
  }

  async transact(request: TransactRequest): Promise<TransactResult> {
    await this.beforeTransact?.();
    this.transactions++;
    const { idempotencyKey } = request;
    const known = idempotencyKey === null ? undefined : this.#answers.get(idempotencyKey);
    if (known !== undefined) return known;
    const answer = this.#transact(request);
    if (idempotencyKey !== null && answer.type === "committed") {
      this.#answers.set(idempotencyKey, answer);
    }
    for (const watcher of this.#appliedWatchers) watcher();
    return answer;
  }

  #transact({ statements }: TransactRequest): TransactResult {
    const results: { rowsAffected: number; seconds: number }[] = [];
    let outcome: ReturnType<SqliteStore["transact"]>;
    try {
      outcome = this.store.transact(Date.now(), (transaction) => {
        for (const { sql, parameters } of statements) {
          const rowsAffected = transaction.run(sql, withoutPrefixes(parameters));
          results.push({ rowsAffected, seconds: 0 });
        }
      });
    } catch (error) {
      const told = new ServiceError("sql", (error as Error).message, { sqlite: "SQLITE_RANGE" });
      return { type: "failed", statement: results.length, error: told, seconds: 0 };
    }
    if (outcome.type === "failed") {
      const error = new ServiceError("sql", outcome.error, { sqlite: outcome.code });
      return { type: "failed", statement: results.length, error, seconds: 0 };
    }
    const version = outcome.chunks[0]?.version ?? null;
    return { type: "committed", version, results, seconds: 0.001 };
  }

  queryNow(): null {
    return null;
  }

  async query(request: QueryRequest): Promise<QueryResult> {
    let statement: Database.Statement;
    try {
      statement = this.#reader.prepare(request.sql);
    } catch (error) {
      throw sqlError(error);
    }
    const columns = statement.columns().map(({ name }) => name);
    const batches = this.#batches(statement, request);
    // What fails before the first row fails here.
    const first = await batches.next();
    return { columns, batches: startingWith(first, batches) };
  }

  async *#batches(
    statement: Database.Statement,
    { parameters, timeoutMs, signal }: QueryRequest,
  ): AsyncGenerator<readonly (readonly Value[])[]> {
    const until = timeoutMs === null ? Infinity : performance.now() + timeoutMs;
    this.openQueries++;
    try {
      let batch: Value[][] = [];
      const rows = statement
        .raw()
        .safeIntegers()
        .iterate(...bound(parameters));
      for (const row of rows as IterableIterator<unknown[]>) {
        this.rowsRead++;
        if (batch.push(row.map(fromSqlExact)) < rowsInBatch) continue;
        if (signal?.aborted === true) return;
        await this.#wait(until);
        yield batch;
        batch = [];
      }
      await this.#wait(until);
      if (batch.length > 0) yield batch;
    } catch (error) {
      throw sqlError(error);
    } finally {
      this.openQueries--;
    }
  }

  async #wait(until: number): Promise<void> {
    await this.beforeBatch?.();
    if (performance.now() > until) throw new ServiceError("timeout", "the query took too long");
  }

  schema(): SchemaInfo {
    const tables = this.store.tables.map(({ name }) => name);
    return { statements: this.claimedSchema ?? this.#schema, hash: "h", tables };
  }

  migrate(schema: readonly string[]): void {
    this.#schema = [...schema];
    this.store.migrate(Date.now(), this.#schema);
    for (const watcher of this.#schemaWatchers) watcher();
  }

  onSchema(changed: () => void): () => void {
    this.#schemaWatchers.add(changed);
    return () => void this.#schemaWatchers.delete(changed);
  }

  #head(actor: string): number {
    return this.store.holdings().find((holding) => holding.actor === actor)?.head ?? 0;
  }

  async waitApplied(actor: string, version: number, timeoutMs: number): Promise<boolean> {
    const there = (): boolean => this.#head(actor) >= version;
    if (there()) return true;
    return await new Promise<boolean>((resolve) => {
      const end = (applied: boolean): void => {
        clearTimeout(timer);
        this.#appliedWatchers.delete(look);
        resolve(applied);
      };
      const look = (): void => {
        if (there()) end(true);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.#appliedWatchers.add(look);
    });
  }

  async waitPeers(
    _version: number,
    peers: number | "all",
  ): Promise<{ wanted: number; applied: number }> {
    const wanted = peers === "all" ? this.peersWanted : peers;
    return await Promise.resolve({ wanted, applied: Math.min(wanted, this.peersApplied) });
  }

  async status(): Promise<NodeStatus> {
    const { hash, rows } = this.store.summary();
    return await Promise.resolve({
      version: "0.0.0-test",
      name: "small",
      actorId: smallActor,
      nodeId: "f".repeat(32),
      clusterId: 0,
      region: "here",
      addr: "127.0.0.1:8787",
      uptimeSeconds: 1.5,
      unready: this.unready,
      storeFailing: null,
      schema: { hash: "h", tables: this.schema().tables },
      members: { alive: 0, suspect: 0, down: 0, left: 0 },
      lag: [],
      p99Lag: 0,
      gaps: 0,
      heads: { [smallActor]: this.#head(smallActor) },
      queues: [{ name: "apply", size: 0, max: 1000 }],
      queueSize: 0,
      db: { bytes: 4096, walBytes: 0, conflicts: 0, quarantined: 0, stateHash: hash, rows },
      counters: { applied_versions_total: 3, api_depth: 1 },
      ...this.statusChanges,
    });
  }

  members(): readonly MemberInfo[] {
    return this.memberList;
  }

  changeMember(member: MemberInfo): void {
    for (const watcher of this.#memberWatchers) watcher(member);
  }

  onMember(changed: (member: MemberInfo) => void): () => void {
    this.#memberWatchers.add(changed);
    return () => void this.#memberWatchers.delete(changed);
  }

  get memberWatchers(): number {
    return this.#memberWatchers.size;
  }

  onTrace(line: (line: string) => void, planes: ReadonlySet<string> | null): () => void {
    return this.trace.subscribe(line, planes);
  }

  async backup(path: string): Promise<void> {
    this.backups.push(path);
    await Promise.resolve();
  }

  async reload(): Promise<readonly string[]> {
    return await Promise.resolve(["log level: info"]);
  }
}

function sqlError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (error instanceof ServiceError) return error;
  const sqlite = typeof code === "string" ? code : "SQLITE_RANGE";
  return new ServiceError("sql", message, { sqlite });
}

function bound(parameters: Parameters): unknown[] {
  const plain = withoutPrefixes(parameters);
  if (Array.isArray(plain)) return (plain as readonly Value[]).map(toSqlExact);
  return [Object.fromEntries(Object.entries(plain).map(([name, v]) => [name, toSqlExact(v)]))];
}

async function* startingWith<T>(
  first: IteratorResult<T>,
  rest: AsyncGenerator<T>,
): AsyncGenerator<T> {
  try {
    let next = first;
    while (next.done !== true) {
      yield next.value;
      next = await rest.next();
    }
  } finally {
    await rest.return(undefined);
  }
}
