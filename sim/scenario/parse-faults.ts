/** The `faults` of a scenario file, each by itself; `timeline.ts` checks that they fit together. */
import {
  at,
  readArray,
  readBoolean,
  readInteger,
  readNumber,
  readObject,
  readOneOf,
  required,
  ScenarioError,
} from "./json-reader.ts";
import { readLatency, readName, readProbability, readRegion } from "./parse-network.ts";
import { readNodeNumber, readSpan, readTime } from "./parse-workload.ts";
import type { Fault, NemesisKind, NetworkSpec } from "./scenario.ts";
import { nemesisKinds } from "./scenario.ts";

export interface FaultContext {
  readonly durationMs: number;
  readonly initialNodes: number;
  /** Initial nodes and those that join. */
  readonly nodeCount: number;
  readonly network: NetworkSpec;
}

/** The keys of each kind, beside `kind`. */
const keysOf: Readonly<Record<Fault["kind"], readonly string[]>> = {
  partition: ["atMs", "groups", "oneway", "untilMs"],
  link: ["atMs", "from", "to", "loss", "latencyMs", "cut", "untilMs"],
  heal: ["atMs"],
  crash: ["atMs", "node", "disk"],
  restart: ["atMs", "node"],
  pause: ["atMs", "node"],
  resume: ["atMs", "node"],
  clock: ["atMs", "node", "jumpMs", "untilMs"],
  slow: ["atMs", "node", "factor"],
  block: ["atMs", "node"],
  unblock: ["atMs", "node"],
  leave: ["atMs", "node"],
  join: ["atMs", "name", "region", "bootstrap", "address"],
  hostile: ["atMs", "toMs", "node", "ratePerSec"],
  bitrot: ["atMs", "node"],
  random: ["fromMs", "toMs", "everyMs", "kinds"],
};

const faultKinds = Object.keys(keysOf) as Fault["kind"][];

/** How many of the entries are joins, told before they are checked: node numbers depend on it. */
export function countJoins(json: unknown): number {
  if (!Array.isArray(json)) return 0;
  return json.filter((item) => (item as { kind?: unknown } | null)?.kind === "join").length;
}

export function readFaults(json: unknown, context: FaultContext): Fault[] {
  let joins = 0;
  return readArray(json ?? [], "faults").map((item, i) => {
    const fault = readFault(item, `faults[${i}]`, context, context.initialNodes + joins);
    if (fault.kind === "join") joins++;
    return fault;
  });
}

function readFault(json: unknown, path: string, context: FaultContext, next: number): Fault {
  const every = [...new Set(Object.values(keysOf).flat())];
  const kindOnly = readObject(json, path, ["kind", ...every]);
  const kind = readOneOf(
    required(kindOnly["kind"], at(path, "kind")),
    at(path, "kind"),
    faultKinds,
  );
  const o = readObject(json, path, ["kind", ...keysOf[kind]]);
  if (kind === "random") return readNemesis(o, path, context);
  const atMs = readTime(
    required(o["atMs"], at(path, "atMs")),
    at(path, "atMs"),
    context.durationMs,
  );
  const node = (): number =>
    readNodeNumber(required(o["node"], at(path, "node")), at(path, "node"), context.nodeCount);
  switch (kind) {
    case "partition":
      return {
        kind,
        atMs,
        groups: readGroups(required(o["groups"], at(path, "groups")), at(path, "groups"), context),
        oneway: readBoolean(o["oneway"] ?? false, at(path, "oneway")),
        untilMs: readUntil(o["untilMs"], at(path, "untilMs"), atMs, context.durationMs),
      };
    case "link":
      return readLink(o, path, atMs, context);
    case "heal":
      return { kind, atMs };
    case "crash":
      return {
        kind,
        atMs,
        node: node(),
        disk: readOneOf(o["disk"] ?? "kept", at(path, "disk"), ["kept", "torn", "lost"]),
      };
    case "restart":
    case "pause":
    case "resume":
    case "block":
    case "unblock":
    case "leave":
    case "bitrot":
      return { kind, atMs, node: node() };
    case "clock":
      return {
        kind,
        atMs,
        node: node(),
        // Stamps have 48 bits of milliseconds: three thousand years stay far inside.
        jumpMs: readNumber(
          required(o["jumpMs"], at(path, "jumpMs")),
          at(path, "jumpMs"),
          -1e12,
          1e14,
        ),
        untilMs: readUntil(o["untilMs"], at(path, "untilMs"), atMs, context.durationMs),
      };
    case "slow":
      return {
        kind,
        atMs,
        node: node(),
        factor: readNumber(required(o["factor"], at(path, "factor")), at(path, "factor"), 1, 1e6),
      };
    case "join":
      return readJoin(o, path, atMs, context, next);
    case "hostile":
      return {
        kind,
        atMs,
        toMs: readEnd(o["toMs"], at(path, "toMs"), atMs, context.durationMs),
        node: node(),
        ratePerSec: readNumber(o["ratePerSec"] ?? 20, at(path, "ratePerSec"), 0.001, 10_000),
      };
  }
}

function readEnd(json: unknown, path: string, atMs: number, durationMs: number): number {
  const toMs = readTime(json ?? durationMs, path, durationMs);
  if (toMs < atMs) throw new ScenarioError(path, `${toMs} is before atMs ${atMs}; swap them`);
  return toMs;
}

function readUntil(json: unknown, path: string, atMs: number, durationMs: number): number | null {
  return (json ?? null) === null ? null : readEnd(json, path, atMs, durationMs);
}

function readGroups(json: unknown, path: string, context: FaultContext): number[][] {
  const groups = readArray(json, path).map((group, g) =>
    readArray(group, `${path}[${g}]`).map((node, i) =>
      readNodeNumber(node, `${path}[${g}][${i}]`, context.nodeCount),
    ),
  );
  if (groups.length < 2) throw new ScenarioError(path, "a partition has at least two groups");
  const groupOf = new Map<number, number>();
  groups.forEach((group, g) => {
    if (group.length === 0) throw new ScenarioError(`${path}[${g}]`, "a group must not be empty");
    for (const node of group) {
      if (groupOf.has(node)) {
        throw new ScenarioError(
          `${path}[${g}]`,
          `node ${node} is in group ${groupOf.get(node)} already; a node is in one group`,
        );
      }
      groupOf.set(node, g);
    }
  });
  return groups;
}

function readLink(
  o: Readonly<Record<string, unknown>>,
  path: string,
  atMs: number,
  context: FaultContext,
): Fault {
  const end = (key: string): number =>
    readNodeNumber(required(o[key], at(path, key)), at(path, key), context.nodeCount);
  const from = end("from");
  const to = end("to");
  if (from === to) throw new ScenarioError(at(path, "to"), `a link has two ends, not ${to} twice`);
  const latency = o["latencyMs"] ?? null;
  if ((o["loss"] ?? o["cut"] ?? latency) === null) {
    throw new ScenarioError(path, "a link fault needs one of loss, latencyMs and cut");
  }
  const spec = latency === null ? null : readLatency(latency, at(path, "latencyMs"));
  if (spec !== null && "geo" in spec) {
    throw new ScenarioError(
      at(path, "latencyMs"),
      'a link takes {"min","max"} or {"median","p99"}',
    );
  }
  return {
    kind: "link",
    atMs,
    from,
    to,
    loss: readProbability(o["loss"], at(path, "loss")),
    latencyMs: spec,
    cut: readBoolean(o["cut"] ?? false, at(path, "cut")),
    untilMs: readUntil(o["untilMs"], at(path, "untilMs"), atMs, context.durationMs),
  };
}

function readJoin(
  o: Readonly<Record<string, unknown>>,
  path: string,
  atMs: number,
  context: FaultContext,
  next: number,
): Fault {
  const numberOf = (key: string): number | null =>
    (o[key] ?? null) === null ? null : readNodeNumber(o[key], at(path, key), next);
  return {
    kind: "join",
    atMs,
    name: readName(o["name"], at(path, "name"), next),
    region: readRegion(o["region"], at(path, "region"), next, context.network),
    bootstrap: numberOf("bootstrap"),
    address: numberOf("address"),
  };
}

function readNemesis(
  o: Readonly<Record<string, unknown>>,
  path: string,
  context: FaultContext,
): Fault {
  const kinds = o["kinds"] ?? null;
  const kindsPath = at(path, "kinds");
  const list: readonly NemesisKind[] =
    kinds === null
      ? nemesisKinds
      : readArray(kinds, kindsPath).map((kind, i) =>
          readOneOf(kind, `${kindsPath}[${i}]`, nemesisKinds),
        );
  if (list.length === 0) throw new ScenarioError(kindsPath, "must not be empty");
  return {
    kind: "random",
    ...readSpan(o, path, context.durationMs),
    everyMs: readInteger(o["everyMs"] ?? 1000, at(path, "everyMs"), 1, 1e9),
    kinds: list,
  };
}
