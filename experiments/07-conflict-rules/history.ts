/**
 * One history of concurrent transactions, played under both rules. Each transaction writes both
 * columns of a row; each node applies its own at once and those of the others after a delay.
 */
import { type ActorId, actorId } from "../../core/base/ids.ts";
import { HybridClock } from "../../core/clock/hybrid-clock.ts";
import { Origin } from "../../core/crdt/origin.ts";
import { createRng, randomHexId } from "../../sim/rng.ts";
import type { CellState, Rule } from "./rules.ts";

export type HistoryOptions = Readonly<{
  seed: string;
  nodes: number;
  rows: number;
  /** On the way from node to node, on average. */
  delayMs: number;
  /** Wall clocks are off by up to this much, either way. */
  skewMs: number;
}>;

export interface Verdicts {
  /** Rows on which transactions collided that did not know of each other. */
  readonly contested: number;
  /** Of those: rows that show another than the last of the colliding transactions. */
  readonly notLatest: number;
  /** Of those: rows that show one column of one transaction and one of another. */
  readonly mixed: number;
  /** Of those: rows that show a node's transaction although another's, later, collided with several of its own. */
  readonly busyWon: number;
  /** Rows that show a transaction which one that had seen it has overwritten. */
  readonly undone: number;
  /** Rows whose last writer is not the same to all nodes. */
  readonly disputed: number;
}

interface Transaction {
  readonly row: number;
  readonly node: number;
  readonly atMs: number;
  readonly cells: readonly [CellState, CellState];
  /** Transactions on the row that its writer had seen. */
  readonly seen: ReadonlySet<Transaction>;
}

interface Replica {
  readonly actor: ActorId;
  readonly clock: HybridClock;
  readonly offMs: number;
  readonly cells: ([CellState, CellState] | null)[];
  readonly applied: Set<Transaction>[];
}

/** A row is written to by up to so many transactions within this time. */
const burst = { most: 5, withinMs: 1000 };
/** Between the bursts of different rows. */
const everyMs = 50;
/** Values are drawn from few, so that some are equal. */
const valuesDrawn = 20;
const startMs = 1_700_000_000_000;

interface Due {
  readonly atMs: number;
  readonly act: () => void;
}

export function play(options: HistoryOptions, rule: Rule): Verdicts {
  const { nodes, rows, delayMs, skewMs, seed } = options;
  const rng = createRng(seed);
  const ids = rng.fork("ids");
  const replicas = Array.from(
    { length: nodes },
    (): Replica => ({
      actor: actorId(randomHexId(ids)),
      clock: new HybridClock(),
      offMs: (2 * ids.unit() - 1) * skewMs,
      cells: Array.from({ length: rows }, () => null),
      applied: Array.from({ length: rows }, () => new Set()),
    }),
  );
  const all: Transaction[][] = Array.from({ length: rows }, () => []);
  const due: Due[] = [];
  const draw = rng.fork("history");
  for (let row = 0; row < rows; row++) {
    const writes = 2 + draw.below(burst.most - 1);
    for (let i = 0; i < writes; i++) {
      const atMs = startMs + row * everyMs + draw.unit() * burst.withinMs;
      const node = draw.below(nodes);
      const values: [number, number] = [draw.below(valuesDrawn), draw.below(valuesDrawn)];
      const delays = Array.from({ length: nodes }, () => delayMs * (0.5 + draw.unit()));
      due.push({
        atMs,
        act: () => {
          const replica = replicas[node] as Replica;
          const transaction = commit(replica, node, row, atMs, values);
          (all[row] as Transaction[]).push(transaction);
          delays.forEach((delay, to) => {
            if (to !== node)
              insert(due, {
                atMs: atMs + delay,
                act: () => apply(replicas[to] as Replica, transaction, atMs + delay, rule),
              });
          });
        },
      });
    }
  }
  due.sort((a, b) => b.atMs - a.atMs);
  for (let next = due.pop(); next !== undefined; next = due.pop()) next.act();
  return judge(replicas, all);
}

/** `due` descends, so that the next is at its end. */
function insert(due: Due[], event: Due): void {
  let low = 0;
  let high = due.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((due[middle] as Due).atMs > event.atMs) low = middle + 1;
    else high = middle;
  }
  due.splice(low, 0, event);
}

function commit(
  replica: Replica,
  node: number,
  row: number,
  atMs: number,
  values: readonly [number, number],
): Transaction {
  const held = replica.cells[row] ?? null;
  const stamp = replica.clock.tick(atMs + replica.offMs, held?.[0].origin.hlc ?? null);
  if (stamp === null) throw new RangeError("a clock has stamps left");
  const origin = new Origin(replica.actor, stamp, 0);
  const cell = (i: 0 | 1): CellState => ({
    value: values[i],
    origin,
    counter: (held?.[i].counter ?? 0) + 1,
  });
  const cells: [CellState, CellState] = [cell(0), cell(1)];
  const applied = replica.applied[row] as Set<Transaction>;
  const transaction = { row, node, atMs, cells, seen: new Set(applied) };
  applied.add(transaction);
  replica.cells[row] = [...cells];
  return transaction;
}

function apply(replica: Replica, transaction: Transaction, atMs: number, rule: Rule): void {
  const { row, cells } = transaction;
  (replica.applied[row] as Set<Transaction>).add(transaction);
  replica.clock.observe(atMs + replica.offMs, cells[0].origin.hlc);
  const held = replica.cells[row] ?? null;
  if (held === null) {
    replica.cells[row] = [...cells];
    return;
  }
  for (const i of [0, 1] as const) if (rule.wins(cells[i], held[i])) held[i] = cells[i];
}

function judge(replicas: readonly Replica[], all: readonly (readonly Transaction[])[]): Verdicts {
  const verdicts = { contested: 0, notLatest: 0, mixed: 0, busyWon: 0, undone: 0, disputed: 0 };
  all.forEach((transactions, row) => {
    const shown = (replicas[0] as Replica).cells[row] as [CellState, CellState];
    const writers = shown.map(
      ({ origin }) => transactions.find(({ cells }) => cells[0].origin === origin) as Transaction,
    );
    const overwritten = new Set(transactions.flatMap(({ seen }) => [...seen]));
    if (writers.some((writer) => overwritten.has(writer))) verdicts.undone++;
    const differs = replicas.some(({ cells }) =>
      [0, 1].some((i) => cells[row]?.[i as 0 | 1].origin !== shown[i as 0 | 1].origin),
    );
    if (differs) verdicts.disputed++;
    const heads = transactions.filter((transaction) => !overwritten.has(transaction));
    if (heads.length < 2) return;
    verdicts.contested++;
    const latest = heads.reduce((a, b) => (b.atMs > a.atMs ? b : a));
    if (writers[0] !== writers[1]) verdicts.mixed++;
    else if (writers[0] !== latest) {
      verdicts.notLatest++;
      if ((writers[0] as Transaction).cells[0].counter > latest.cells[0].counter)
        verdicts.busyWon++;
    }
  });
  return verdicts;
}
