/**
 * The store of a running node: the SQLite store, and beside it what came of each transaction, so
 * that one that was under way when the process was killed is neither lost nor run twice.
 */
import { createHash } from "node:crypto";
import { OpError } from "../../core/crdt/op-values.ts";
import type { Parameters, Statement } from "../agent/node-service.ts";
import { machineMs } from "../ipc/clock.ts";
import type { LocalTransaction } from "../store/local-transaction.ts";
import type { MemberOutcome } from "../store/local-writer.ts";
import { SqliteStore, type SqliteStoreOptions } from "../store/sqlite-store.ts";
import type {
  CommittedGroup,
  CommittedVersion,
  Member,
  StoredSchema,
  StoreInfo,
} from "./messages.ts";
import { storeError } from "../store/store-error.ts";
import { freePagesOf } from "../store/upkeep.ts";
import { Scrub } from "../store/scrub.ts";
import { OutcomeTable } from "./outcome-table.ts";
import { requestPrint } from "./request-print.ts";
import { failedResult, type PlainResult, withoutSigns } from "./result.ts";
import { sqlFailure } from "./sql-failure.ts";

/** Everything is made safe against power loss so often, and content that nobody needs is dropped. */
const saveEveryMs = 15_000;
const forgetEveryMs = 60_000;
/** A write-ahead log of this length is copied into the database… */
const walWorthCopying = 4 * 1024 * 1024;
/** …and one of this length begun anew, for which readers are waited for a moment. */
const maxWalBytes = 64 * 1024 * 1024;
/** So many free pages are given back, in steps of so many. */
const freePagesWorth = 256;
const vacuumPages = 64;

/** The log is looked through in slices of this length, one a second at the most. */
const scrubSliceMs = 4;

export interface ScrubTimes {
  /** From the start to the first look. */
  readonly firstMs: number;
  /** From the end of one to the next. */
  readonly everyMs: number;
}

export interface GroupAnswer {
  readonly committed: CommittedVersion[];
  /** For the clients, by index. */
  readonly results: PlainResult[];
}

/** What a member's body found, told by it since the store knows only how it ended. */
interface Attempt {
  readonly member: Member;
  readonly index: number;
  readonly beganMs: number;
  statement: number;
  result: PlainResult | null;
  /** It was answered from an earlier run, or not begun: its body did nothing. */
  idle: boolean;
}

export class NodeStore extends SqliteStore {
  readonly #outcomes: OutcomeTable;
  readonly #begins: (group: number, member: number) => void;
  #unsaved = false;
  #savedMs = machineMs();
  #forgotMs = 0;
  readonly #path: string;
  readonly #scrub: Scrub;
  readonly #scrubTimes: ScrubTimes | null;
  #scrubDueMs: number;
  /** When the log was last looked through, by the wall clock; 0: not since the start. */
  #scrubbedMs = 0;
  #scrubDamage = 0;

  /**
   * @param begins is told of each member of a group before its first statement.
   * @param scrub when the log is looked through for damage; null: never
   */
  constructor(
    options: SqliteStoreOptions,
    begins: (group: number, member: number) => void,
    scrub: ScrubTimes | null = null,
  ) {
    super(options);
    this.#path = options.path;
    this.#scrub = new Scrub(this.engine);
    this.#scrubTimes = scrub;
    this.#scrubDueMs = scrub === null ? Infinity : machineMs() + scrub.firstMs;
    this.#outcomes = new OutcomeTable(this.engine.db);
    this.#begins = begins;
  }

  /** What the last groups came to, for a parent that has had no answer. */
  committedGroups(): CommittedGroup[] {
    return this.#outcomes.committed(this.engine.own.head);
  }

  /** Runs transactions one after another and commits them together. */
  runGroup(wallMs: number, group: number, members: readonly Member[]): GroupAnswer {
    const attempts: Attempt[] = members.map((member, index) => {
      return { member, index, beganMs: machineMs(), statement: 0, result: null, idle: false };
    });
    const runs = attempts.map((attempt) => (transaction: LocalTransaction): void => {
      this.#runMember(wallMs, group, attempt, transaction);
    });
    const outcomes = this.commitGroup(wallMs, runs);
    const answer: GroupAnswer = { committed: [], results: [] };
    attempts.forEach((attempt, i) => {
      const outcome = outcomes[i] as MemberOutcome;
      if (outcome.type === "committed" && outcome.chunks.length > 0) {
        answer.committed.push({ chunks: outcome.chunks, summary: outcome.summary });
      }
      answer.results.push(this.#resultOf(attempt, outcome));
    });
    return answer;
  }

  #runMember(wallMs: number, group: number, attempt: Attempt, transaction: LocalTransaction): void {
    const { member, index } = attempt;
    // Said before the look at the clock: so a parent that sees nothing said after the deadline knows
    // that the transaction will not be begun.
    this.#begins(group, index);
    const now = machineMs();
    if (member.deadlineMs !== null && now >= member.deadlineMs) {
      attempt.idle = true;
      attempt.result = timedOut(0);
      return;
    }
    const statements = withoutSigns(member.statements);
    const { key } = member;
    const keyed = key === null ? null : { key, print: requestPrint(statements) };
    const known = keyed === null ? null : this.#outcomes.answerOf(keyed);
    if (known !== null) {
      attempt.idle = true;
      attempt.result = known;
      return;
    }
    const head = this.engine.own.head;
    const results = this.#runStatements(statements, attempt, transaction);
    const seconds = (machineMs() - now) / 1000;
    attempt.result = { type: "committed", version: null, results, seconds };
    this.#outcomes.write(wallMs, group, index, head, keyed, attempt.result);
  }

  #runStatements(
    statements: readonly Statement[],
    attempt: Attempt,
    transaction: LocalTransaction,
  ): { readonly rowsAffected: number; readonly seconds: number }[] {
    return statements.map(({ sql, parameters }, i) => {
      attempt.statement = i;
      const from = machineMs();
      const rowsAffected = runBound(transaction, sql, parameters);
      return { rowsAffected, seconds: (machineMs() - from) / 1000 };
    });
  }

  #resultOf(attempt: Attempt, outcome: MemberOutcome): PlainResult {
    const { member, statement, result, idle } = attempt;
    const seconds = (machineMs() - attempt.beganMs) / 1000;
    if (outcome.type === "failed") {
      const error = sqlFailure({ code: outcome.code, message: outcome.error });
      return failedResult(statement, error, seconds);
    }
    if (outcome.type === "threw") {
      const message = outcome.error instanceof Error ? outcome.error.message : "";
      return failedResult(statement, { code: "store_failed", message }, seconds);
    }
    if (idle || result?.type !== "committed") return result ?? timedOut(seconds);
    const version = outcome.chunks[0]?.version ?? null;
    if (version === null && member.key !== null) this.#outcomes.hadNoVersion(member.key);
    // Under a key it is answered as it was kept, so that a repeat gets the same to the last digit.
    return { ...result, version, seconds: member.key === null ? seconds : result.seconds };
  }

  /**
   * One slice of upkeep, some milliseconds long. @param dirty something was written since the last.
   * @returns whether another slice would find work.
   */
  upkeep(wallMs: number, dirty: boolean): "now" | "later" | "no" {
    const nowMs = machineMs();
    this.#unsaved ||= dirty;
    if (this.#unsaved && nowMs - this.#savedMs >= saveEveryMs) {
      this.checkpoint();
      this.#savedMs = nowMs;
      this.#unsaved = false;
      return "now";
    }
    if (this.walBytes() > walWorthCopying) {
      this.checkpointWal({ maxBytes: maxWalBytes, waitMs: 20 });
    }
    if (nowMs - this.#forgotMs >= forgetEveryMs) {
      if (this.#outcomes.forgetSome(wallMs)) return "now";
      this.#forgotMs = nowMs;
    }
    const free = freePagesOf(this.engine.db);
    if (free >= freePagesWorth && this.vacuumSome(vacuumPages) > 0) return "now";
    if (this.#lookForDamage(wallMs, nowMs)) return "later";
    return this.#unsaved || this.#outcomes.answers > 0 ? "later" : "no";
  }

  /** @returns whether the look through the log goes on */
  #lookForDamage(wallMs: number, nowMs: number): boolean {
    if (nowMs < this.#scrubDueMs) return false;
    const done = this.#scrubSlice();
    this.#scrubDamage = done ? this.#scrub.damage : Math.max(this.#scrubDamage, this.#scrub.damage);
    if (!done) return true;
    this.#scrubbedMs = wallMs;
    this.#scrubDueMs = nowMs + (this.#scrubTimes?.everyMs ?? Infinity);
    // The log's pages are not what the next transactions need.
    this.shrink();
    return false;
  }

  /** @throws StoreError for damage to pages of the file */
  #scrubSlice(): boolean {
    try {
      return this.#scrub.run(scrubSliceMs);
    } catch (error) {
      throw storeError(this.#path, error) ?? error;
    }
  }

  /** Damage that was found since the last call, a line each. */
  takeDamage(): readonly string[] {
    return this.#scrub.takeTold();
  }

  /** Gives back the pages that SQLite keeps; the next that are read come from the system's cache. */
  shrink(): void {
    this.engine.db.pragma("shrink_memory");
  }

  info(): StoreInfo {
    const { db } = this.engine;
    const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
    const pageSize = pragma("page_size");
    const { tombstones, aside, quarantined } = this.counts();
    return {
      bytes: pragma("page_count") * pageSize,
      walBytes: this.walBytes(),
      freeBytes: freePagesOf(this.engine.db) * pageSize,
      conflicts: this.engine.constrained ? this.conflictCount() : 0,
      aside,
      tombstones,
      quarantined,
      answers: this.#outcomes.answers,
      scrubbedMs: this.#scrubbedMs,
      scrubDamage: this.#scrubDamage,
    };
  }

  schema(): StoredSchema {
    const objects = this.engine.db
      .prepare("SELECT kind, sql FROM patina_object ORDER BY n")
      .all() as { kind: string; sql: string }[];
    const order = ["table", "index", "view", "trigger"];
    objects.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    const hash = createHash("sha256").update(JSON.stringify(this.tables));
    return {
      statements: objects.map(({ sql }) => sql),
      hash: hash.digest("hex").slice(0, 16),
      tables: this.tables.map(({ name }) => name),
    };
  }
}

/** Parameters that do not fit the statement are the client's error, as a misspelt column is. */
function runBound(transaction: LocalTransaction, sql: string, parameters: Parameters): number {
  try {
    return transaction.run(sql, parameters);
  } catch (error) {
    if (error instanceof OpError || !(error instanceof RangeError || error instanceof TypeError)) {
      throw error;
    }
    throw new OpError("SQLITE_RANGE", error.message);
  }
}

function timedOut(seconds: number): PlainResult {
  const message = "the transaction was not begun before its time ran out; nothing was changed";
  return failedResult(0, { code: "timeout", message }, seconds);
}
