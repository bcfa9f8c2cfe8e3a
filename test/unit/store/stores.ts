/** Opens SQLite stores for tests, moves versions between them, and looks at what they hold. */
import { afterEach } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import type { Value } from "../../../core/crdt/value.ts";
import type { Chunk, CommitOutcome } from "../../../core/node/store.ts";
import { SqliteStore, type SqliteStoreOptions } from "../../../runtime/store/sqlite-store.ts";

export const t0 = 1_780_000_000_000;

export interface StoreMaker {
  (
    letter: string,
    schema: SqliteStoreOptions["schema"],
    more?: Partial<SqliteStoreOptions>,
  ): SqliteStore;
}

/** To be called inside `describe`; closes what it opened after each test. */
export function storeMaker(): StoreMaker {
  let stores: SqliteStore[] = [];
  afterEach(() => {
    for (const store of stores) store.close();
    stores = [];
  });
  return (letter, schema, more = {}) => {
    const actor = actorId(letter.repeat(32));
    const store = new SqliteStore({ path: ":memory:", actor, schema, versionsPerPack: 2, ...more });
    stores.push(store);
    return store;
  };
}

/** One local transaction of SQL statements; its chunks. @throws when it fails. */
export function sql(
  store: SqliteStore,
  ...statements: (string | [string, ...Value[]])[]
): readonly Chunk[] {
  const outcome = trySql(store, ...statements);
  if (outcome.type === "failed") throw new Error(`${outcome.code}: ${outcome.error}`);
  return outcome.chunks;
}

let wallMs = t0;

export function trySql(
  store: SqliteStore,
  ...statements: (string | [string, ...Value[]])[]
): CommitOutcome {
  return store.transact(wallMs++, (transaction) => {
    for (const statement of statements) {
      const [text, ...parameters] = typeof statement === "string" ? [statement] : statement;
      transaction.run(text, parameters);
    }
  });
}

/** Brings `to` everything that `from` holds. */
export function sync(from: SqliteStore, to: SqliteStore): void {
  const wants = from.holdings().map(({ actor, head }) => ({ actor, from: 1, to: head }));
  const { chunks, overwritten } = from.serve(wants, Number.MAX_SAFE_INTEGER);
  to.receive(t0, chunks, overwritten);
}

export function rows(store: SqliteStore, table: string): (readonly Value[])[] {
  return [...store.rows(table)];
}

const everything = new Uint8Array(0);

/** All rows with all that decides merges, tombstones included. */
export function fullState(store: SqliteStore): unknown {
  const tables = store.tables.map(({ name }) => {
    const { rows: states } = store.readRows(name, everything, everything, Number.MAX_SAFE_INTEGER);
    return [name, states.map((row) => [hex(row.key), row.causalLength, hex(row.cells)])];
  });
  return { tables, digests: store.tableDigests(), summary: store.summary() };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
