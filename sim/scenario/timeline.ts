/** Whether the faults of a scenario fit together in time: nobody crashes who is down already, and so on. */
import { unreachable } from "../../core/base/assert.ts";
import { ScenarioError } from "./json-reader.ts";
import type { Fault, Workload } from "./scenario.ts";

type Life = "running" | "crashed" | "paused" | "left";

interface NodeLife {
  /** When it begins to exist. */
  readonly fromMs: number;
  life: Life;
  blocked: boolean;
  hostileUntilMs: number;
  /** The entry by which it joins at another's address; −1: it has its own. */
  readonly twinBy: number;
  /** The entry that brought `life` about, for the message. */
  by: number;
}

/** @throws ScenarioError naming the later of two entries that contradict one another. */
export function checkTimeline(
  faults: readonly Fault[],
  workload: readonly Workload[],
  initialNodes: number,
): void {
  const nodes: NodeLife[] = [];
  const add = (fromMs: number, twinBy: number): void => {
    nodes.push({ fromMs, life: "running", blocked: false, hostileUntilMs: -1, twinBy, by: -1 });
  };
  for (let n = 0; n < initialNodes; n++) add(0, -1);
  let lastJoinMs = 0;
  faults.forEach((fault, i) => {
    if (fault.kind !== "join") return;
    if (fault.atMs < lastJoinMs) {
      throw new ScenarioError(
        `faults[${i}].atMs`,
        "joins are numbered in the order of the list; put the earlier one first",
      );
    }
    lastJoinMs = fault.atMs;
    add(fault.atMs, fault.address === null ? -1 : i);
  });
  for (const index of inTimeOrder(faults)) stepFault(faults[index] as Fault, index, nodes);
  checkTwins(faults, nodes);
  workload.forEach((work, i) => {
    if (work.kind === "random") return;
    const fromMs = nodes[work.node]?.fromMs ?? 0;
    if (work.atMs < fromMs) {
      throw new ScenarioError(
        `workload[${i}].node`,
        `node ${work.node} joins only at ${fromMs} ms; write to it after that`,
      );
    }
  });
}

/** Two nodes at one address never agree on who it is: the second must be gone when the run is judged. */
function checkTwins(faults: readonly Fault[], nodes: readonly NodeLife[]): void {
  const random = faults.findIndex(({ kind }) => kind === "random");
  nodes.forEach(({ life, twinBy }, n) => {
    if (twinBy < 0) return;
    const path = `faults[${twinBy}].address`;
    if (life !== "left") {
      throw new ScenarioError(
        path,
        `node ${n} must leave before the end: two nodes have its address`,
      );
    }
    if (random >= 0) {
      throw new ScenarioError(
        path,
        `faults[${random}], which is random, might keep node ${n} from leaving; take one of them out`,
      );
    }
  });
}

/** Indexes of the faults in the order in which they happen; at the same time, the order of the list. */
export function inTimeOrder(faults: readonly Fault[]): number[] {
  const startOf = (i: number): number => {
    const fault = faults[i] as Fault;
    return fault.kind === "random" ? fault.fromMs : fault.atMs;
  };
  return faults.map((_, i) => i).sort((a, b) => startOf(a) - startOf(b) || a - b);
}

function stepFault(fault: Fault, index: number, nodes: NodeLife[]): void {
  const path = `faults[${index}]`;
  switch (fault.kind) {
    case "partition":
      for (const group of fault.groups) for (const n of group) existing(nodes, n, fault, path);
      return;
    case "link":
      existing(nodes, fault.from, fault, `${path}.from`);
      existing(nodes, fault.to, fault, `${path}.to`);
      return;
    case "heal":
    case "join":
    case "random":
      return;
    default:
      stepNode(fault, `${path}.node`, index, existing(nodes, fault.node, fault, `${path}.node`));
  }
}

function existing(
  nodes: NodeLife[],
  n: number,
  fault: Fault & { atMs: number },
  path: string,
): NodeLife {
  const node = nodes[n] as NodeLife;
  if (fault.atMs < node.fromMs) {
    throw new ScenarioError(path, `node ${n} joins only at ${node.fromMs} ms`);
  }
  return node;
}

type NodeFault = Extract<Fault, { node: number }>;

function stepNode(fault: NodeFault, path: string, index: number, node: NodeLife): void {
  const refuse = (why: string): never => {
    const cause = node.by < 0 ? "" : ` (since faults[${node.by}])`;
    throw new ScenarioError(path, `node ${fault.node} ${why} at ${fault.atMs} ms${cause}`);
  };
  const become = (life: Life): void => {
    node.life = life;
    node.by = index;
  };
  const { life } = node;
  switch (fault.kind) {
    case "crash":
      // A node may crash on its way out; if it is gone by then, nothing happens.
      if (life === "crashed") refuse("is crashed already; restart it first");
      node.blocked = false;
      become("crashed");
      return;
    case "restart":
      if (life === "running" || life === "paused") refuse("is running; crash it first");
      become("running");
      return;
    case "pause":
      if (life !== "running") refuse(`is ${life}; only a running node is paused`);
      become("paused");
      return;
    case "resume":
      if (life !== "paused") refuse(`is ${life}, not paused`);
      become("running");
      return;
    case "block":
      if (node.blocked) refuse("is blocked already; unblock it first");
      if (life === "crashed" || life === "left") refuse(`is ${life}; restart it first`);
      node.blocked = true;
      return;
    case "unblock":
      if (!node.blocked) refuse("is not blocked");
      node.blocked = false;
      return;
    case "leave":
      if (life !== "running") refuse(`is ${life}; only a running node leaves`);
      node.blocked = false;
      become("left");
      return;
    case "clock":
    case "slow":
      return;
    case "bitrot":
      if (life === "crashed" || life === "left") refuse(`is ${life}; its data rots unseen`);
      return;
    case "hostile":
      if (fault.atMs < node.hostileUntilMs) refuse("is hostile already; begin after that ends");
      node.hostileUntilMs = fault.toMs;
      return;
    default:
      unreachable(fault);
  }
}
