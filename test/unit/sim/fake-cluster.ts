/** Nodes and histories made up for the checks: each says something wrong on purpose. */
import type { ActorId, Address, NodeId } from "../../../core/base/ids.ts";
import { parseSchema } from "../../../core/crdt/parse-schema.ts";
import type { Value } from "../../../core/crdt/value.ts";
import type { ActorHoldings, Chunk } from "../../../core/node/store.ts";
import { encodeChunks, type RowChange } from "../../../core/wire/changes.ts";
import type { CheckContext, CheckName } from "../../../sim/check/check.ts";
import { History } from "../../../sim/check/history.ts";
import type { SimNode } from "../../../sim/host/node.ts";
import { Kernel } from "../../../sim/kernel.ts";
import { defaultSchema } from "../../../sim/scenario/scenario.ts";

export const actorA = "a".repeat(32) as ActorId;
export const actorB = "b".repeat(32) as ActorId;

/** Reports of the checks, as "check node: detail". */
export class FakeContext implements CheckContext {
  readonly kernel = new Kernel();
  readonly nodes: SimNode[] = [];
  readonly history = new History();
  /** Pairs between which a fault is in force. */
  readonly trouble: (readonly [number, number])[] = [];
  rotted = false;
  hostile = false;
  readonly reports: string[] = [];

  apart(a: number, b: number): boolean {
    return this.trouble.some((pair) => pair.includes(a) && pair.includes(b));
  }

  report(check: CheckName, node: number | null, detail: string): void {
    this.reports.push(`${check} ${node}: ${detail}`);
  }
}

export interface FakeStore {
  holdings?: readonly ActorHoldings[];
  /** Values in column order. */
  rows?: readonly (readonly Value[])[];
  hash?: string;
  digests?: readonly (readonly [string, string])[];
}

const parsed = parseSchema(defaultSchema);
if (!parsed.ok) throw new Error(parsed.error);
export const kvTables = parsed.tables;

export function fakeStore({
  holdings = [],
  rows = [],
  hash = "0",
  digests = [],
}: FakeStore): object {
  return {
    tables: kvTables,
    holdings: () => holdings,
    summary: () => ({ hash, rows: rows.length }),
    tableDigests: () => digests,
    rows: () => rows,
  };
}

/** A node with just what a check looks at. */
export function fakeNode(n: number, parts: object): SimNode {
  const node = {
    n,
    address: `n${n}` as Address,
    nodeId: String(n).repeat(32) as NodeId,
    epoch: 100 + n,
    live: true,
    life: "running",
    blocked: false,
    store: null,
    replica: null,
    ...parts,
  };
  return node as unknown as SimNode;
}

export function holds(actor: ActorId, head: number, ...gaps: [number, number][]): ActorHoldings {
  return { actor, head, gaps, partial: [] };
}

/** The chunks of a version that writes rows of the default table. */
export function version(
  actor: ActorId,
  number: number,
  ms: number,
  rows: readonly { k: string; cl: number; cells?: Readonly<Record<string, Value>> }[],
): Chunk[] {
  const changes: RowChange[] = rows.map(({ k, cl, cells = {} }) => ({
    table: "kv",
    key: [k],
    causalLength: cl,
    cells: Object.entries(cells).map(([column, value]) => ({ column, value })),
  }));
  return encodeChunks(changes, 1e9).map((payload, index, all) => ({
    actor,
    version: number,
    index,
    count: all.length,
    hlc: { ms, counter: 0 },
    payload,
  }));
}
