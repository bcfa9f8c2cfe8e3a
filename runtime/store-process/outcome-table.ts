/**
 * What came of transactions, written by each of them as its last act and so durable exactly when
 * it is. `patina_outcome` keeps the last groups, for a parent that had no answer when the process
 * was killed; `patina_answer` keeps what was answered under idempotency keys.
 *
 * A transaction cannot know whether it will get a version, since that is decided after its last
 * statement. So it writes the head of its author as it was before; who reads that later compares.
 */
import { bytesEqual } from "../../core/crdt/value.ts";
import type { Db, Statement } from "../store/db.ts";
import type { CommittedGroup } from "./messages.ts";
import { failedResult, packResult, type PlainResult, unpackResult } from "./result.ts";

/** Groups that may be under way or unanswered when the process ends, and one more. */
const groupsKept = 4;
export const maxGroupMembers = 64;

/** How long an idempotency key is remembered… */
export const answerKeptMs = 24 * 3_600_000;
/** …and how many are. Past it the oldest go, whatever their age. */
export const maxAnswers = 1_000_000;
/** Keys forgotten in one slice of upkeep. */
const forgottenAtOnce = 1000;

const layout = `
CREATE TABLE IF NOT EXISTS patina_outcome (
  slot INTEGER PRIMARY KEY,
  grp INTEGER NOT NULL,
  member INTEGER NOT NULL,
  head INTEGER NOT NULL,
  key TEXT,
  result BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS patina_answer (
  n INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  version INTEGER,
  result BLOB NOT NULL,
  print BLOB
);`;

interface OutcomeRow {
  readonly grp: number;
  readonly member: number;
  readonly head: number;
  readonly key: string | null;
  readonly result: Uint8Array;
}

interface AnswerRow {
  readonly version: number | null;
  readonly result: Uint8Array;
  /** Null: written by a build that did not keep it. */
  readonly print: Uint8Array | null;
}

/** A transaction that runs once under its key. */
export interface Keyed {
  readonly key: string;
  /** What it asks for (`request-print.ts`). */
  readonly print: Uint8Array;
}

const keyReused = {
  code: "key_reused",
  message: "this idempotency key was used for another transaction; nothing was changed",
  hint: "give each transaction a key of its own, such as a random UUID",
} as const;

export class OutcomeTable {
  readonly #db: Db;
  readonly #put: Statement;
  readonly #putAnswer: Statement;
  readonly #answer: Statement;
  readonly #noVersion: Statement;
  #answers: number;

  constructor(db: Db) {
    this.#db = db;
    db.exec(layout);
    addPrints(db);
    this.#put = db.prepare("REPLACE INTO patina_outcome VALUES (?, ?, ?, ?, ?, ?)");
    this.#putAnswer = db.prepare(
      "INSERT INTO patina_answer (key, at, version, result, print) VALUES (?, ?, ?, ?, ?)",
    );
    this.#answer = db.prepare("SELECT version, result, print FROM patina_answer WHERE key = ?");
    this.#noVersion = db.prepare("UPDATE patina_answer SET version = NULL WHERE key = ?");
    this.#answers = db.prepare("SELECT count(*) FROM patina_answer").pluck().get() as number;
  }

  get answers(): number {
    return this.#answers;
  }

  /** Inside the transaction, as its last act. @param head of this node's author before it. */
  write(
    wallMs: number,
    group: number,
    member: number,
    head: number,
    keyed: Keyed | null,
    result: PlainResult,
  ): void {
    const slot = (group % groupsKept) * maxGroupMembers + member;
    const bytes = packResult(result);
    this.#put.run(slot, group, member, head, keyed?.key ?? null, bytes);
    if (keyed === null) return;
    this.#putAnswer.run(keyed.key, Math.floor(wallMs), head + 1, bytes, keyed.print);
    this.#answers++;
  }

  /** A keyed transaction that was committed changed nothing replicated. */
  hadNoVersion(key: string): void {
    this.#noVersion.run(key);
  }

  /**
   * How the transaction under this key was answered; null when there was none.
   * @returns a failure where it was another transaction.
   */
  answerOf({ key, print }: Keyed): PlainResult | null {
    const row = this.#answer.get(key) as AnswerRow | undefined;
    if (row === undefined) return null;
    if (row.print !== null && !bytesEqual(row.print, print)) return failedResult(0, keyReused, 0);
    const result = unpackResult(row.result);
    return result.type === "committed" ? { ...result, version: row.version } : result;
  }

  /** At the start: what the last groups came to. @param head of this node's author now. */
  committed(head: number): CommittedGroup[] {
    const rows = this.#db
      .prepare("SELECT grp, member, head, key, result FROM patina_outcome ORDER BY grp, member")
      .all() as OutcomeRow[];
    const groups = new Map<number, PlainResult[]>();
    rows.forEach((row, i) => {
      const version = (rows[i + 1]?.head ?? head) > row.head ? row.head + 1 : null;
      if (version === null && row.key !== null) this.hadNoVersion(row.key);
      const results = groups.get(row.grp) ?? [];
      const result = unpackResult(row.result);
      results[row.member] = result.type === "committed" ? { ...result, version } : result;
      groups.set(row.grp, results);
    });
    return [...groups].map(([group, results]) => ({ group, results }));
  }

  /** Forgets some of the keys that are old, or too many. @returns whether there are more. */
  forgetSome(wallMs: number): boolean {
    const tooMany = Math.max(0, this.#answers - maxAnswers);
    const { changes } = this.#db
      .prepare(
        "DELETE FROM patina_answer WHERE n IN (SELECT n FROM (SELECT n, at, row_number() OVER (ORDER BY n) AS place " +
          "FROM (SELECT n, at FROM patina_answer ORDER BY n LIMIT ?)) WHERE at < ? OR place <= ?)",
      )
      .run(forgottenAtOnce, Math.floor(wallMs) - answerKeptMs, tooMany);
    this.#answers -= changes;
    return changes === forgottenAtOnce;
  }
}

/** Earlier builds kept answers without what had been asked for. */
function addPrints(db: Db): void {
  const columns = db.pragma("table_info(patina_answer)") as { readonly name: string }[];
  if (columns.some(({ name }) => name === "print")) return;
  db.exec("ALTER TABLE patina_answer ADD COLUMN print BLOB");
}
