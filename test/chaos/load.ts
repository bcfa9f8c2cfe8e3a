/**
 * Writers on all nodes of a cluster, each with its own keys and some that all of them fight for, and
 * the account of what was acknowledged. A write whose answer was lost is tried again under its
 * idempotency key: it may run once, and answers as the first time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeProcess, TransactionAnswer } from "../../runtime/cluster/node-process.ts";

export const loadSchema =
  "CREATE TABLE kept (k TEXT PRIMARY KEY NOT NULL, n INTEGER);" +
  "CREATE TABLE fought (k INTEGER PRIMARY KEY NOT NULL, v TEXT, w TEXT);";

/** Keys that all writers fight for. */
const foughtKeys = 7;
/** How long a write is tried again, through the restart of its node. */
const retryMs = 60_000;
const answerMs = 30_000;

export interface LoadOptions {
  /** The node that a writer writes through, whichever process it is at the time; null: there is none. */
  readonly nodes: readonly (() => NodeProcess | null)[];
  /** Between two writes of a writer. */
  readonly pauseMs: number;
}

export class Load {
  refused = 0;
  /** Answers that came only to a second try. */
  retried = 0;
  /** What must not be; null: nothing of the kind. */
  wrong: string | null = null;
  readonly #options: LoadOptions;
  readonly #acknowledged: string[] = [];
  readonly #writers: readonly Promise<void>[];
  #over = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#writers = options.nodes.map((_, i) => this.#write(i));
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** No new writes; resolves when those under way have come to something. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#writers);
  }

  /** Acknowledged writes that a node has not; null: it has them all. */
  async missingOn(node: NodeProcess): Promise<string | null> {
    const rows = await node.rows("SELECT k FROM kept");
    const held = new Set(rows.map(([key]) => key));
    const lost = this.#acknowledged.filter((key) => !held.has(key));
    const [first] = lost;
    return first === undefined
      ? null
      : `${node.name} lacks ${lost.length} writes, ${first} among them`;
  }

  async #write(i: number): Promise<void> {
    const versions = new Set<string>();
    for (let n = 0; !this.#over; n++) {
      await sleep(this.#options.pauseMs);
      const key = `${i}/${n}`;
      const answer = await this.#tried(i, key, statements(key, i, n));
      if (answer === null) continue;
      const { version, actor_id: actor, results } = answer;
      if (version === null || version === undefined) {
        this.refused++;
        const [why] = results.flatMap(({ error }) => error ?? []);
        // It has run before under the same key: exactly what may not happen.
        if (why?.includes("UNIQUE") === true) this.wrong ??= `${key} has run twice: ${why}`;
        continue;
      }
      const name = `${actor}:${version}`;
      if (versions.has(name))
        this.wrong ??= `${name} was answered to two writes, ${key} the second`;
      versions.add(name);
      this.#acknowledged.push(key);
    }
  }

  /** Null: there was no answer within its time, so that it may be there or not. */
  async #tried(
    i: number,
    key: string,
    body: readonly unknown[],
  ): Promise<TransactionAnswer | null> {
    const untilMs = performance.now() + retryMs;
    for (let tries = 0; performance.now() < untilMs; tries++) {
      const node = this.#options.nodes[i]?.() ?? null;
      if (node?.running === true) {
        try {
          const answer = await post(node, key, body);
          if (tries > 0 && answer.version !== null) this.retried++;
          return answer;
        } catch {
          // Killed, stopped or paused amid the answer.
        }
      }
      // At the end nobody starts a node for it any more.
      if (this.#over && node?.running !== true) break;
      await sleep(100);
    }
    this.refused++;
    return null;
  }
}

function statements(key: string, writer: number, n: number): readonly unknown[] {
  const keep = ["INSERT INTO kept VALUES (?, ?)", [key, n]];
  const hot = (writer + n) % foughtKeys;
  switch (n % 4) {
    case 0:
      return [keep];
    case 1:
      return [keep, ["DELETE FROM fought WHERE k = ?", [hot]]];
    default: {
      const column = n % 2 === 0 ? "v" : "w";
      const sql = `INSERT INTO fought (k, ${column}) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET ${column} = excluded.${column}`;
      return [keep, [sql, [hot, key]]];
    }
  }
}

async function post(
  node: NodeProcess,
  key: string,
  body: readonly unknown[],
): Promise<TransactionAnswer> {
  const answer = await fetch(`${node.api}/v1/transactions`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMs),
  });
  const said = (await answer.json()) as TransactionAnswer;
  // Stopping or overloaded: it has not run, and is asked for again.
  if (answer.status === 503) throw new Error("not now");
  return said;
}
