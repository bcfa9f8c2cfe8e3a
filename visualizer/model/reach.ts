/** How a write reached the nodes: who held it when, from commit to the last. */
import { coveredFrom } from "./covered.ts";
import type { Trace } from "./trace.ts";
import { eventsOf, type TraceIndex } from "./trace-index.ts";

export interface Arrival {
  readonly node: number;
  /** Microseconds after the commit; 0 for its author. */
  readonly delay: number;
  /** The node never applied it: newer writes had replaced it by the time it counted it as held. */
  readonly overtaken: boolean;
}

export interface Reach {
  readonly version: number;
  readonly commit: number;
  /** Ascending by delay. */
  readonly arrivals: readonly Arrival[];
  /** Nodes whose data the trace tells: what `arrivals` may grow to. */
  readonly total: number;
  /** Nodes that it knows of without their data, as a live trace does. */
  readonly untold: number;
}

/** Null if the trace has no commit of the version. */
export function reachOf(trace: Trace, index: TraceIndex, version: number): Reach | null {
  const commit = trace.versions.commit[version] ?? -1;
  if (commit < 0) return null;
  const arrivals: Arrival[] = [];
  let [total, untold] = [0, 0];
  for (const [node, lives] of index.held.lives.entries()) {
    if (trace.nodes[node]?.known !== true) continue;
    if (index.told[node] !== 1) {
      untold++;
      continue;
    }
    total++;
    const life = lives.find(({ since }) => (since[version] as number) >= 0);
    const applied = life === undefined ? -1 : (life.since[version] as number);
    const actor = trace.versions.actor[version] as number;
    const number = trace.versions.number[version] as number;
    const event =
      applied >= 0 ? applied : coveredFrom(trace, eventsOf(index, node), actor, number, commit);
    if (event < 0) continue;
    const delay = Math.max(0, (trace.t[event] as number) - (trace.t[commit] as number));
    arrivals.push({ node, delay, overtaken: applied < 0 });
  }
  arrivals.sort((a, b) => a.delay - b.delay || a.node - b.node);
  return { version, commit, arrivals, total, untold };
}

/** The delay within which the share `p` (0 to 1) of the nodes that tell was reached; null if it never was. */
export function reachQuantile(reach: Reach, p: number): number | null {
  const needed = Math.max(1, Math.ceil(p * reach.total));
  return reach.arrivals[needed - 1]?.delay ?? null;
}
