/**
 * What a running node offers to its doors (the HTTP API, the command line inside the process). The
 * HTTP API knows a node through this alone, and is tested against a small one made for the purpose.
 */
import type { Value } from "../../core/crdt/value.ts";

/** Bound parameters: by position for plain `?`, or by name with the prefix that SQLite shows (`:a`, `@a`, `$a`, `?1`). */
export type Parameters = readonly Value[] | Readonly<Record<string, Value>>;

export interface Statement {
  readonly sql: string;
  /** As the client wrote it, where its variables are called otherwise in `sql`: what columns are called comes from here. */
  readonly original?: string;
  readonly parameters: Parameters;
}

export type ServiceErrorCode =
  /** SQL that cannot be prepared or run, a constraint: the caller's fault. `sqlite`: SQLite's own code. */
  | "sql"
  | "timeout"
  | "not_readonly"
  | "refused"
  /** The idempotency key was used before, for another transaction. */
  | "key_reused"
  | "overloaded"
  | "disk_full"
  | "store_failed"
  | "shutting_down";

export class ServiceError extends Error {
  override name = "ServiceError";
  readonly code: ServiceErrorCode;
  /** Such as SQLITE_CONSTRAINT_UNIQUE. */
  readonly sqlite: string | null;
  /** What to do about it. */
  readonly hint: string | null;

  constructor(
    code: ServiceErrorCode,
    message: string,
    more: { readonly sqlite?: string; readonly hint?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.sqlite = more.sqlite ?? null;
    this.hint = more.hint ?? null;
  }
}

export interface TransactRequest {
  readonly statements: readonly Statement[];
  /** Null: none. Past it the statement is interrupted and all is rolled back. */
  readonly timeoutMs: number | null;
  /**
   * The same key runs once: a repeat is answered as the first was, after a restart too; with other
   * statements it fails (`key_reused`).
   */
  readonly idempotencyKey: string | null;
}

export type TransactResult =
  | {
      readonly type: "committed";
      /** Null when nothing replicated changed. */
      readonly version: number | null;
      readonly results: readonly { readonly rowsAffected: number; readonly seconds: number }[];
      readonly seconds: number;
    }
  | {
      readonly type: "failed";
      /** Which statement, from 0. */
      readonly statement: number;
      readonly error: ServiceError;
      readonly seconds: number;
    };

export interface QueryRequest extends Statement {
  readonly timeoutMs: number | null;
  /** Nobody waits for the answer any more: the statement is let go, before its first row too. */
  readonly signal?: AbortSignal;
}

/** Rows come in batches; the next batch is read when the last was taken: a slow reader holds nothing up. */
export interface QueryResult {
  readonly columns: readonly string[];
  /** Throws ServiceError when it fails midway. Ended early (`return`), the statement is let go. */
  readonly batches: AsyncIterable<readonly (readonly Value[])[]>;
}

/** A query's rows, all of them. */
export interface WholeResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

export interface MemberInfo {
  readonly name: string;
  readonly actorId: string;
  readonly addr: string;
  readonly state: "alive" | "suspect" | "down" | "left";
  readonly incarnation: number;
  readonly region: string;
  /** Null where not measured. */
  readonly rttMs: number | null;
}

export interface PeerLag {
  readonly actorId: string;
  /** Seconds from commit to apply here: median and 99th percentile of the last minutes. 0 where nothing was measured. */
  readonly p50: number;
  readonly p99: number;
  readonly versionsBehind: number;
}

export interface NodeStatus {
  readonly version: string;
  readonly name: string;
  readonly actorId: string;
  readonly nodeId: string;
  readonly clusterId: number;
  readonly region: string;
  readonly addr: string;
  readonly uptimeSeconds: number;
  /** Why it is not ready; null: it is. */
  readonly unready: string | null;
  /** Why what peers send cannot be stored, as with a full disk; null: it can. */
  readonly storeFailing: string | null;
  readonly schema: { readonly hash: string; readonly tables: readonly string[] };
  readonly members: Readonly<Record<MemberInfo["state"], number>>;
  readonly lag: readonly PeerLag[];
  /** 99th percentile over all authors, seconds. */
  readonly p99Lag: number;
  /** Versions known to be missing, those that the store could not take among them. */
  readonly gaps: number;
  readonly heads: Readonly<Record<string, number>>;
  readonly queues: readonly {
    readonly name: string;
    readonly size: number;
    readonly max: number;
  }[];
  /** Changes that wait to be applied here. */
  readonly queueSize: number;
  readonly db: {
    readonly bytes: number;
    readonly walBytes: number;
    readonly conflicts: number;
    readonly quarantined: number;
    readonly stateHash: string;
    readonly rows: number;
  };
  /** Names and values of further counters and gauges for metrics, in the units that the names say. */
  readonly counters: Readonly<Record<string, number>>;
}

/** A replicated or local table as the node's database has it. */
export interface SchemaInfo {
  /** `CREATE` statements in order: an empty database that runs them prepares the same SQL. */
  readonly statements: readonly string[];
  readonly hash: string;
  /** Replicated tables. */
  readonly tables: readonly string[];
}

export interface NodeService {
  readonly actorId: string;
  /**
   * Why requests make no sense now; null: they do. Until the database is open and the first attempt to
   * join was made, while what peers send cannot be stored (its rows fall behind), and when it stops.
   */
  readonly unready: string | null;
  transact(request: TransactRequest): Promise<TransactResult>;
  /** The answer to a query that is certain to take moments only; null: ask `query`. Never throws. */
  queryNow(statement: Statement): WholeResult | null;
  /** @throws ServiceError before the first row. */
  query(request: QueryRequest): Promise<QueryResult>;
  schema(): SchemaInfo;
  /** Called after each change of the schema; returns how to stop. */
  onSchema(changed: () => void): () => void;
  /** Waits until the version is applied here. @returns false when time ran out first. */
  waitApplied(actorId: string, version: number, timeoutMs: number): Promise<boolean>;
  /** Waits until so many peers have applied this node's version (`all`: every member alive or suspect). */
  waitPeers(
    version: number,
    peers: number | "all",
    timeoutMs: number,
  ): Promise<{ readonly wanted: number; readonly applied: number }>;
  status(): Promise<NodeStatus>;
  members(): readonly MemberInfo[];
  /** Told of each change of a member; returns how to stop. */
  onMember(changed: (member: MemberInfo) => void): () => void;
  /** Lines of the live trace, header first, each with its "\n"; returns how to stop. */
  onTrace(line: (line: string) => void, planes: ReadonlySet<string> | null): () => void;
  backup(path: string): Promise<void>;
  /** Re-reads schema, tokens, certificates and log level. @returns what changed, a line each. */
  reload(): Promise<readonly string[]>;
}
