/** Makes versions as other actors would have written them, and looks at everything a store holds. */
import { actorId, type ActorId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk, CommitOutcome, Op, Store, VersionOutcome } from "../../core/node/store.ts";
import { encodeChunks, type CellWrite, type RowChange } from "../../core/wire/changes.ts";

/** Actor ids that sort as their letters do. */
export const alice = actorId("a".repeat(32));
export const bob = actorId("b".repeat(32));
export const carol = actorId("c".repeat(32));
export const dora = actorId("d".repeat(32));

/** A wall clock to begin with: some moment of 2026. */
export const t0 = 1_780_000_000_000;

export const kv =
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)";
export const link = "CREATE TABLE link (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))";

export function stamp(ms: number, counter = 0): Hlc {
  return { ms: t0 + ms, counter };
}

/** A change to table kv; `cells` by column name in declared order. */
export function kvChange(
  key: string,
  causalLength: number,
  cells: Record<string, Value> = {},
): RowChange {
  return change("kv", [key], causalLength, cells);
}

export function change(
  table: string,
  key: readonly Value[],
  causalLength: number,
  cells: Record<string, Value> = {},
): RowChange {
  const writes: CellWrite[] = Object.entries(cells).map(([column, value]) => ({ column, value }));
  return { table, key, causalLength, cells: writes };
}

/** The chunks of a version; a small `targetBytes` cuts it into one chunk a row. */
export function version(
  actor: ActorId,
  n: number,
  hlc: Hlc,
  changes: readonly RowChange[],
  targetBytes = 32 * 1024,
): Chunk[] {
  const payloads = encodeChunks(changes, targetBytes);
  const count = payloads.length;
  return payloads.map((payload, index) => ({ actor, version: n, index, count, hlc, payload }));
}

/** Commits and expects success. */
export function commit(store: Store, wallMs: number, ...ops: Op[]): readonly Chunk[] {
  const outcome = store.commit(wallMs, ops);
  if (outcome.type === "failed") throw new Error(`${outcome.code}: ${outcome.error}`);
  return outcome.chunks;
}

/** Commits and expects failure; the store must be as before. */
export function commitFails(
  store: Store,
  wallMs: number,
  ...ops: Op[]
): CommitOutcome & { type: "failed" } {
  const before = fullState(store);
  const holdings = JSON.stringify(store.holdings());
  const outcome = store.commit(wallMs, ops);
  if (outcome.type !== "failed") throw new Error("the transaction was expected to fail");
  if (JSON.stringify(fullState(store)) !== JSON.stringify(before)) throw new Error("state changed");
  if (JSON.stringify(store.holdings()) !== holdings) throw new Error("holdings changed");
  return outcome;
}

export function receive(
  store: Store,
  wallMs: number,
  ...chunks: readonly Chunk[]
): readonly VersionOutcome[] {
  return store.receive(wallMs, chunks, []).versions;
}

export function rows(store: Store, table = "kv"): (readonly Value[])[] {
  return [...store.rows(table)];
}

const everything = new Uint8Array(0);

/** All rows with all metadata, tombstones included, and the digests: equal means equal in everything that merges. */
export function fullState(store: Store): unknown {
  const tables = store.tables.map(({ name }) => [name, allRows(store, name)] as const);
  return { tables, digests: store.tableDigests(), summary: store.summary() };
}

function allRows(store: Store, table: string): string[] {
  const { rows, next } = store.readRows(table, everything, everything, Number.MAX_SAFE_INTEGER);
  if (next !== null) throw new Error("an unbounded read comes to the end");
  return rows.map((row) => `${hex(row.key)} ${row.causalLength} ${hex(row.cells)}`);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Every version of every actor that `from` holds, content or marker, handed to `to`. */
export function sync(from: Store, to: Store, wallMs: number): readonly VersionOutcome[] {
  const wants = from.holdings().map(({ actor, head }) => ({ actor, from: 1, to: head }));
  const { chunks, overwritten, rest } = from.serve(wants, Number.MAX_SAFE_INTEGER);
  if (rest.length > 0) throw new Error("an unbounded answer leaves no rest");
  return to.receive(wallMs, chunks, overwritten).versions;
}
