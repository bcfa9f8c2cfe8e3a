/**
 * A client of a node's API. It reads values exactly, follows answers as they come, and repeats what
 * may be repeated: a transaction carries a key, so that it runs once however often it is sent.
 */
import { randomUUID } from "node:crypto";
import type { Value } from "../../core/crdt/value.ts";
import { valueText } from "../api/value-text.ts";
import { readLine } from "./answer-lines.ts";
import {
  Connection,
  type ConnectionOptions,
  errorFrom,
  PatinaError,
  type Request,
} from "./connection.ts";

/**
 * INTEGER is a number, or a bigint past 2^53; REAL a number with a fraction, or `{ real }` without
 * one; BLOB a Uint8Array; NULL null. A boolean parameter is 0 or 1.
 */
export type Parameter = Value | boolean;

export type Sql =
  | string
  | readonly [sql: string, parameters: readonly Parameter[] | Readonly<Record<string, Parameter>>];

export interface ClientOptions extends ConnectionOptions {
  /** How often a request that met no node, or one that is overloaded, is sent again; 3 where left out. */
  readonly retries?: number;
}

export interface TransactOptions {
  /** Seconds; 0 is no limit. */
  readonly timeout?: number;
  /** So many peers, or all members, must have applied it before the answer comes… */
  readonly wait?: number | "all";
  /** …or so many seconds have passed. */
  readonly waitTimeout?: number;
  /** One is made where it is left out. */
  readonly idempotencyKey?: string;
}

export interface Transacted {
  readonly results: readonly { readonly rows_affected: number; readonly time: number }[];
  readonly time: number;
  /** Null when nothing replicated changed. */
  readonly version: number | null;
  readonly actor_id: string;
  readonly peers?: { readonly wanted: number; readonly applied: number };
}

export interface QueryOptions {
  /** Seconds; 0 is no limit. */
  readonly timeout?: number;
  /** Waits until the node has applied this version of this author. */
  readonly minVersion?: { readonly actor_id: string; readonly version: number };
  readonly signal?: AbortSignal;
}

export interface Member {
  readonly name: string;
  readonly actor_id: string;
  readonly addr: string;
  readonly state: "alive" | "suspect" | "down" | "left";
  readonly incarnation: number;
  readonly region: string;
  readonly rtt_ms: number | null;
}

export interface Status {
  readonly version: string;
  readonly name: string;
  readonly actor_id: string;
  readonly node_id: string;
  readonly cluster_id: number;
  readonly region: string;
  readonly addr: string;
  readonly uptime_seconds: number;
  readonly ready: boolean;
  /** Why it is not. */
  readonly unready: string | null;
  /** Why what peers send cannot be stored; null: it can. */
  readonly store_failing: string | null;
  readonly schema: { readonly hash: string; readonly tables: readonly string[] };
  readonly members: Readonly<Record<Member["state"], number>>;
  readonly lag: readonly {
    readonly actor_id: string;
    readonly p50: number;
    readonly p99: number;
    readonly versions_behind: number;
  }[];
  readonly p99_lag: number;
  readonly gaps: number;
  readonly heads: Readonly<Record<string, number>>;
  readonly queues: readonly {
    readonly name: string;
    readonly size: number;
    readonly max: number;
  }[];
  readonly queue_size: number;
  readonly db: {
    readonly bytes: number;
    readonly wal_bytes: number;
    readonly rows: number;
    readonly conflicts: number;
    readonly quarantined: number;
    readonly state_hash: string;
  };
  readonly counters: Readonly<Record<string, number>>;
}

const defaultRetries = 3;
const firstDelayMs = 50;

export class PatinaClient {
  readonly #connection: Connection;
  readonly #retries: number;

  /** @throws PatinaError when the address is none. */
  constructor(options: ClientOptions) {
    this.#connection = new Connection(options);
    this.#retries = options.retries ?? defaultRetries;
  }

  get url(): string {
    return this.#connection.url;
  }

  /** Runs statements in one transaction. @throws PatinaError */
  async transact(statements: readonly Sql[], options: TransactOptions = {}): Promise<Transacted> {
    const path = withQuery("/v1/transactions", {
      timeout: options.timeout,
      wait: options.wait,
      wait_timeout: options.waitTimeout,
    });
    const body = `[${statements.map(statementText).join(",")}]`;
    const headers = { "idempotency-key": options.idempotencyKey ?? randomUUID() };
    const text = await this.#again(() =>
      this.#connection.text({ method: "POST", path, body, headers }),
    );
    return JSON.parse(text) as Transacted;
  }

  /** Runs one statement that reads. @throws PatinaError before the first row. */
  async query(statement: Sql, options: QueryOptions = {}): Promise<QueryRows> {
    const { minVersion, signal, timeout } = options;
    const request: Request = {
      method: "POST",
      path: withQuery("/v1/queries", { timeout }),
      body: statementText(statement),
      headers:
        minVersion === undefined
          ? {}
          : { "x-patina-min-version": `${minVersion.actor_id}:${minVersion.version}` },
      ...(signal === undefined ? {} : { signal }),
    };
    return await this.#again(() => QueryRows.open(this.#connection.lines(request)));
  }

  async status(): Promise<Status> {
    return (await this.#get("/v1/status")) as Status;
  }

  async members(): Promise<readonly Member[]> {
    return (await this.#get("/v1/members")) as readonly Member[];
  }

  /** All members, then `"ready"`, then each that changes. @throws PatinaError when the stream breaks. */
  async *watchMembers(): AsyncGenerator<Member | "ready"> {
    const path = "/v1/members?watch=true";
    for await (const line of this.#connection.lines({ method: "GET", path })) {
      const told = JSON.parse(line) as { member?: Member; ready?: true; error?: string };
      if (told.error !== undefined) throw errorFrom(200, told);
      yield told.member ?? "ready";
    }
  }

  /** Rows of the tables together, and which of them there are not. */
  async tableStats(
    tables: readonly string[],
  ): Promise<{ readonly total_row_count: number; readonly invalid_tables: readonly string[] }> {
    return (await this.#post("/v1/table_stats", { tables })) as Awaited<
      ReturnType<PatinaClient["tableStats"]>
    >;
  }

  /** @param path absolute, on the node's machine. */
  async backup(path: string): Promise<void> {
    await this.#post("/v1/backup", { path });
  }

  /** @returns what changed, a line each. */
  async reload(): Promise<readonly string[]> {
    const { changes } = (await this.#post("/v1/reload", {})) as { changes: string[] };
    return changes;
  }

  close(): void {
    this.#connection.close();
  }

  async #get(path: string): Promise<unknown> {
    return JSON.parse(await this.#again(() => this.#connection.text({ method: "GET", path })));
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const request: Request = { method: "POST", path, body: JSON.stringify(body) };
    return JSON.parse(await this.#connection.text(request));
  }

  /** Only what runs once however often it is sent. */
  async #again<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        if (!mayPass(error) || tries >= this.#retries) throw error;
        const delayMs = firstDelayMs * 2 ** tries * (0.5 + Math.random());
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof PatinaError && (error.code === "unreachable" || error.status === 503);
}

/** The rows of one query, as they come. To be read once; ending early lets the query go. */
export class QueryRows implements AsyncIterable<readonly Value[]> {
  readonly columns: readonly string[];
  readonly #lines: AsyncGenerator<string>;
  #seconds: number | null = null;

  private constructor(columns: readonly string[], lines: AsyncGenerator<string>) {
    this.columns = columns;
    this.#lines = lines;
  }

  static async open(lines: AsyncGenerator<string>): Promise<QueryRows> {
    const first = await lines.next();
    const told = first.done === true ? null : readLine(first.value);
    if (told?.type === "columns") return new QueryRows(told.columns, lines);
    await lines.return(undefined);
    if (told?.type === "error") throw errorFrom(200, told);
    throw new PatinaError("unknown", "the answer does not begin with its columns", 200);
  }

  /** Seconds that the node took; null until all rows were read. */
  get seconds(): number | null {
    return this.#seconds;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Value[]> {
    for await (const line of this.#lines) {
      const told = readLine(line);
      if (told.type === "row") yield told.row;
      else if (told.type === "error") throw errorFrom(200, told);
      else if (told.type === "end") {
        this.#seconds = told.seconds;
        return;
      }
    }
    throw new PatinaError("unreachable", "the answer ended before its last row", 0);
  }

  async all(): Promise<(readonly Value[])[]> {
    const rows: (readonly Value[])[] = [];
    for await (const row of this) rows.push(row);
    return rows;
  }
}

function statementText(statement: Sql): string {
  if (typeof statement === "string") return JSON.stringify(statement);
  const [sql, parameters] = statement;
  const text = Array.isArray(parameters)
    ? `[${(parameters as readonly Parameter[]).map(parameterText).join(",")}]`
    : `{${Object.entries(parameters)
        .map(([name, value]) => `${JSON.stringify(name)}:${parameterText(value as Parameter)}`)
        .join(",")}}`;
  return `[${JSON.stringify(sql)},${text}]`;
}

function parameterText(value: Parameter): string {
  return typeof value === "boolean" ? String(value) : valueText(value);
}

function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return path;
  return `${path}?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()}`;
}
