/** The built-in scenarios: what `patina sim --list` names. Each is a scenario file that depends on the number of nodes. */
import { assert } from "../../core/base/assert.ts";
import { nearest } from "../../core/base/nearest.ts";
import { parseScenario } from "../scenario/parse.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { clockScenarios } from "./clocks.ts";
import { crashScenarios } from "./crashes.ts";
import { dataScenarios } from "./data.ts";
import { fleetScenarios } from "./fleets.ts";
import { partitionScenarios } from "./partitions.ts";
import { roughScenarios } from "./rough.ts";

export interface BuiltIn {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** How many nodes by default, and at the least. */
  readonly nodes: number;
  readonly minNodes: number;
  /** The scenario file for so many nodes, without name and summary. */
  build(nodes: number): Readonly<Record<string, unknown>>;
}

export const builtIns: readonly BuiltIn[] = [
  ...partitionScenarios,
  ...crashScenarios,
  ...clockScenarios,
  ...dataScenarios,
  ...fleetScenarios,
  ...roughScenarios,
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The built-in scenario of this name; null if there is none (`suggestScenario` helps). */
export function findBuiltIn(name: string): BuiltIn | null {
  return builtIns.find((builtIn) => builtIn.name === name) ?? null;
}

export function suggestScenario(name: string): string | null {
  return nearest(
    name,
    builtIns.map((builtIn) => builtIn.name),
  );
}

/** The scenario resolved. @throws RangeError for too few nodes. */
export function buildScenario(builtIn: BuiltIn, nodes = builtIn.nodes): Scenario {
  if (!Number.isInteger(nodes) || nodes < builtIn.minNodes) {
    throw new RangeError(`${builtIn.name} takes at least ${builtIn.minNodes} nodes, not ${nodes}`);
  }
  const { name, summary } = builtIn;
  const parsed = parseScenario({ nodes, ...builtIn.build(nodes), name, summary }, name);
  assert(parsed.ok, parsed.ok ? "a built-in scenario is valid" : parsed.error);
  return parsed.scenario;
}
