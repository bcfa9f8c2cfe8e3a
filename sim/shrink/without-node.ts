/** A scenario with one node less: those after it move up, and what was about it goes. */
import type { Fault, Scenario, Workload } from "../scenario/scenario.ts";

/** Null where the scenario would have no node left. `node`: one of those at the start. */
export function withoutNode(scenario: Scenario, node: number): Scenario | null {
  if (scenario.nodes.length <= 1) return null;
  const moved = (n: number): number => (n > node ? n - 1 : n);
  const faults: Fault[] = [];
  for (const fault of scenario.faults) {
    const left = withoutNodeInFault(fault, node, moved);
    if (left !== null) faults.push(left);
  }
  const workload: Workload[] = [];
  for (const work of scenario.workload) {
    if (work.kind === "random") {
      const nodes = work.nodes?.filter((n) => n !== node).map(moved) ?? null;
      if (nodes === null || nodes.length > 0) workload.push({ ...work, nodes });
    } else if (work.node !== node) {
      workload.push({ ...work, node: moved(work.node) });
    }
  }
  return { ...scenario, nodes: scenario.nodes.filter((_, n) => n !== node), faults, workload };
}

function withoutNodeInFault(
  fault: Fault,
  node: number,
  moved: (n: number) => number,
): Fault | null {
  switch (fault.kind) {
    case "partition": {
      const groups = fault.groups
        .map((group) => group.filter((n) => n !== node).map(moved))
        .filter((group) => group.length > 0);
      // A one-way cut is told by its first group.
      const firstGone = fault.oneway && fault.groups[0]?.every((n) => n === node) === true;
      return groups.length < 2 || firstGone ? null : { ...fault, groups };
    }
    case "link":
      if (fault.from === node || fault.to === node) return null;
      return { ...fault, from: moved(fault.from), to: moved(fault.to) };
    case "join": {
      const other = (n: number | null): number | null =>
        n === null || n === node ? null : moved(n);
      return { ...fault, bootstrap: other(fault.bootstrap), address: other(fault.address) };
    }
    case "heal":
    case "random":
      return fault;
    default:
      return fault.node === node ? null : { ...fault, node: moved(fault.node) };
  }
}
