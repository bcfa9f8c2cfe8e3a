/** The broadcast tree at a moment, read from what was sent lately: pushes are eager, IHave lazy. */
import type { Loaded } from "../../app/loaded.ts";
import { Kind } from "../../model/kinds.ts";
import { firstAt } from "../../model/trace.ts";

export interface TreeLink {
  readonly from: number;
  readonly to: number;
  readonly eager: boolean;
}

/** A link of which nothing was heard for this long is not drawn. */
const memoryUs = 10_000_000;
const maxLooked = 60_000;

export function treeLinks({ trace }: Loaded, event: number, t: number): TreeLink[] {
  const roles = trace.labels.map(({ msg }) => roleOf(msg));
  const eager = new Map<number, boolean>();
  const nodes = trace.nodes.length;
  const first = Math.max(firstAt(trace, t - memoryUs), event - maxLooked, 0);
  for (let i = first; i <= event; i++) {
    if (trace.kind[i] !== Kind.send) continue;
    const role = roles[trace.label[i] as number];
    if (role === undefined) continue;
    const n = trace.node[i] as number;
    const to = trace.peer[i] as number;
    // Prune and Graft speak of the link towards their sender.
    if (role === "push") eager.set(n * nodes + to, true);
    else if (role === "ihave") eager.set(n * nodes + to, false);
    else eager.set(to * nodes + n, role === "graft");
  }
  return [...eager].map(([key, isEager]) => ({
    from: Math.floor(key / nodes),
    to: key % nodes,
    eager: isEager,
  }));
}

function roleOf(msg: string): "push" | "ihave" | "graft" | "prune" | undefined {
  const name = msg.toLowerCase();
  return name === "push" || name === "ihave" || name === "graft" || name === "prune"
    ? name
    : undefined;
}
