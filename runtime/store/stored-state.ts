/** What `patina_state` and its neighbours say, as rows. */
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { ClockState } from "../../core/clock/hybrid-clock.ts";
import type { StatementCache } from "./db.ts";

export interface StoredState {
  readonly actor: ActorId;
  readonly node: NodeId;
  readonly epoch: number;
  readonly clock: ClockState;
  readonly farSeen: boolean;
  /** The log is folded up to this id. */
  readonly folded: number;
  /** Log rows up to this id are in packs or stay where they are. */
  readonly packed: number;
  readonly nextId: number;
  /** The last stop was a clean one. */
  readonly clean: boolean;
  readonly opened: StoredOpening;
}

/** How the file was opened when it was last opened. */
export interface StoredOpening {
  /** It is a copy made by `backup.ts` and has not been opened since. */
  readonly backup: boolean;
  /** Names the run of the operating system; "" where it is not known. */
  readonly bootId: string;
  /** Each commit was on the disk before it was told: no power loss takes any back. */
  readonly durable: boolean;
}

export function readState(statements: StatementCache): StoredState {
  const row = statements.get("SELECT * FROM patina_state").get() as Record<string, unknown>;
  return {
    actor: row["actor"] as ActorId,
    node: row["node"] as NodeId,
    epoch: row["epoch"] as number,
    clock: {
      ms: row["clock_ms"] as number,
      counter: row["clock_counter"] as number,
      farMs: row["far_ms"] as number,
      farCounter: row["far_counter"] as number,
    },
    farSeen: row["far_seen"] === 1,
    folded: row["folded"] as number,
    packed: row["packed"] as number,
    nextId: row["next_id"] as number,
    clean: row["clean"] === 1,
    opened: {
      backup: row["backup"] === 1,
      bootId: row["boot"] as string,
      durable: row["durable"] === 1,
    },
  };
}

export function writeState(statements: StatementCache, state: Omit<StoredState, "opened">): void {
  const { actor, node, epoch, clock, farSeen, folded, packed, nextId, clean } = state;
  statements
    .get(
      "UPDATE patina_state SET actor = ?, node = ?, epoch = ?, clock_ms = ?, clock_counter = ?, far_ms = ?, " +
        "far_counter = ?, far_seen = ?, folded = ?, packed = ?, next_id = ?, clean = ?",
    )
    .run(
      actor,
      node,
      epoch,
      clock.ms,
      clock.counter,
      clock.farMs,
      clock.farCounter,
      Number(farSeen),
      folded,
      packed,
      nextId,
      Number(clean),
    );
}

/** From here on a stop is unclean unless it says otherwise. */
export function writeOpening(statements: StatementCache, { bootId, durable }: StoredOpening): void {
  statements
    .get("UPDATE patina_state SET clean = 0, backup = 0, boot = ?, durable = ?")
    .run(bootId, Number(durable));
}

/** A log row that is not folded. */
export interface UnfoldedRow {
  readonly id: number;
  readonly actor: number;
  readonly version: number;
  /** Pieces of state that stemmed from it at first; null while it is quarantined. */
  readonly live: number | null;
  readonly effects: Uint8Array | null;
}

export function readUnfolded(statements: StatementCache, folded: number): readonly UnfoldedRow[] {
  return statements
    .get(
      "SELECT l.id, actor, version, live, coalesce(l.effects, e.effects) AS effects " +
        "FROM patina_log AS l LEFT JOIN patina_effects AS e ON e.id = l.id WHERE l.id > ? ORDER BY l.id",
    )
    .all(folded) as UnfoldedRow[];
}

/** A table's digest: its number, two lanes, living rows, tombstones; and whether clocks of living rows stand under their keys. */
export type StoredDigest = readonly [
  n: number,
  a: number,
  b: number,
  rows: number,
  dead: number,
  keyed: number,
];

export function readDigests(statements: StatementCache): Map<number, StoredDigest> {
  const rows = statements
    .get("SELECT n, hash_a, hash_b, rows, dead, keyed FROM patina_object")
    .raw()
    .all() as StoredDigest[];
  return new Map(rows.map((row) => [row[0], row]));
}
