/**
 * Local transactions, alone or many committed together. In a group each member is a transaction of
 * its own, with its version and its outcome; what one of them does is undone without touching the
 * others. All of them become durable by one commit, which costs as much as that of a single one.
 */
import { OpError } from "../../core/crdt/op-values.ts";
import type { CommitOutcome } from "../../core/node/store.ts";
import type { Capture } from "./capture.ts";
import type { Engine } from "./engine.ts";
import { commitChanges } from "./local-commit.ts";
import { payloadBytes } from "./payload.ts";
import { storeError } from "./store-error.ts";

/** What came of one member of a group. `threw`: its body threw what is no error of SQL; rolled back. */
export type MemberOutcome = CommitOutcome | { readonly type: "threw"; readonly error: unknown };

export interface LocalWriterOptions {
  /** For messages. */
  readonly path: string;
  /** Payload at which a version is cut into chunks. */
  readonly chunkBytes: number;
}

export class LocalWriter {
  readonly #engine: Engine;
  readonly #capture: Capture;
  readonly #path: string;
  readonly #chunkBytes: number;
  readonly #free = () => this.#engine.snapshot.release();

  constructor(engine: Engine, capture: Capture, { path, chunkBytes }: LocalWriterOptions) {
    this.#engine = engine;
    this.#capture = capture;
    this.#path = path;
    this.#chunkBytes = chunkBytes;
  }

  /** @throws what `body` throws if that is no error of SQL; and damage. */
  one(wallMs: number, body: () => void): CommitOutcome {
    const engine = this.#engine;
    let inMemory = false;
    try {
      this.#capture.spareTriggers(this.#free);
      engine.begin("local", true);
      this.#run(body);
      inMemory = true;
      const outcome = this.#commitChanges(wallMs);
      engine.commit();
      return outcome;
    } catch (error) {
      this.#forget();
      if (inMemory) engine.rollback();
      else engine.rollbackRows();
      return this.#failed(error);
    }
  }

  /** An outcome for each body, in their order; when the commit itself fails, all fail. @throws damage */
  group(wallMs: number, bodies: readonly (() => void)[]): MemberOutcome[] {
    // A foreign key that is checked at the commit would be checked for all of them at once.
    if (bodies.length === 1 || this.#engine.deferred)
      return bodies.map((body) => this.#alone(wallMs, body));
    const engine = this.#engine;
    try {
      this.#capture.spareTriggers(this.#free);
      engine.begin("local", true);
      const outcomes = bodies.map((body) => this.#member(wallMs, body));
      engine.commitGroup();
      return outcomes;
    } catch (error) {
      this.#forget();
      engine.rollback();
      const failed = this.#failed(error);
      return bodies.map(() => failed);
    }
  }

  #alone(wallMs: number, body: () => void): MemberOutcome {
    try {
      return this.one(wallMs, body);
    } catch (error) {
      return this.#threw(error);
    }
  }

  #member(wallMs: number, body: () => void): MemberOutcome {
    const engine = this.#engine;
    engine.beginMember();
    let inMemory = false;
    try {
      this.#run(body);
      inMemory = true;
      const outcome = this.#commitChanges(wallMs);
      engine.endMember();
      return outcome;
    } catch (error) {
      this.#forget();
      // SQLite itself has given the whole group up, as it does when a disk fails.
      if (!engine.db.inTransaction) throw error;
      engine.undoMember(inMemory);
      try {
        return this.#failed(error);
      } catch {
        return this.#threw(error);
      }
    }
  }

  #run(body: () => void): void {
    this.#capture.on = true;
    body();
    this.#capture.on = false;
  }

  #forget(): void {
    this.#capture.on = false;
    this.#capture.fail();
  }

  #commitChanges(wallMs: number): CommitOutcome {
    const engine = this.#engine;
    const changes = this.#capture.take();
    const chunks = commitChanges(engine, wallMs, changes, this.#chunkBytes);
    engine.snapshot.spend(changes.args.length, payloadBytes(chunks));
    return { type: "committed", chunks, summary: engine.summary() };
  }

  /** Damage is not one member's affair. @throws it */
  #threw(error: unknown): MemberOutcome {
    if (storeError(this.#path, error)?.damaged === true) throw error;
    return { type: "threw", error };
  }

  /** Errors of the transaction itself are its outcome; damage, and what is not about SQL, is thrown on. */
  #failed(error: unknown): CommitOutcome {
    const told = storeError(this.#path, error);
    if (told !== null && !told.damaged)
      return { type: "failed", code: told.code, error: told.message };
    const { code, message } = error as { code?: unknown; message?: string };
    const sql =
      error instanceof OpError || (typeof code === "string" && code.startsWith("SQLITE_"));
    if (told !== null || !sql) throw error;
    return { type: "failed", code: code as string, error: message ?? "" };
  }
}
