/**
 * From what was typed, a built-in name or a path, to a scenario for so many nodes. A source
 * survives structured cloning, so that every thread of a sweep builds its own.
 */
import { readFileSync, statSync } from "node:fs";
import { createRng } from "../../sim/rng.ts";
import { parseScenario, parseScenarioText } from "../../sim/scenario/parse.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { buildScenario, findBuiltIn, suggestScenario } from "../../sim/scenarios/built-in.ts";
import { CliError, exitCodes, systemReason, usageError } from "./exit-codes.ts";

export type ScenarioSource =
  | { readonly kind: "builtIn"; readonly name: string }
  | { readonly kind: "file"; readonly path: string; readonly text: string };

/** From how many to how many nodes; null: as many as the scenario says. */
export type NodeRange = readonly [least: number, most: number] | null;

/** What `--nodes` may ask for at the most; more is an experiment for a scenario file's own `nodes`. */
export const mostNodes = 16_000;

/** @throws CliError: an unknown name or a file that is not there (exit 2). */
export function openScenario(word: string): ScenarioSource {
  if (findBuiltIn(word) !== null) return { kind: "builtIn", name: word };
  const looksLikePath = /[/\\]|\.json$/.test(word);
  if (!looksLikePath && statSync(word, { throwIfNoEntry: false })?.isFile() !== true) {
    const near = suggestScenario(word);
    const mend =
      near === null ? "`patina sim --list` prints the built-in ones" : `did you mean ${near}?`;
    throw usageError(`unknown scenario ${word}: ${mend}`);
  }
  try {
    return { kind: "file", path: word, text: readFileSync(word, "utf8") };
  } catch (error) {
    throw usageError(`cannot read ${word}: ${systemReason(error)}`);
  }
}

/** What the repeating command calls the scenario. */
export function sourceName(source: ScenarioSource): string {
  return source.kind === "builtIn" ? source.name : source.path;
}

/**
 * The scenario resolved, for `nodes` nodes or for its own number.
 * @throws CliError: a file that is not valid (exit 3), a number of nodes that does not fit (exit 2).
 */
export function resolveScenario(source: ScenarioSource, nodes: number | null): Scenario {
  if (source.kind === "builtIn") {
    const builtIn = findBuiltIn(source.name);
    if (builtIn === null) throw usageError(`unknown scenario ${source.name}`);
    try {
      return nodes === null ? buildScenario(builtIn) : buildScenario(builtIn, nodes);
    } catch (error) {
      if (error instanceof RangeError) throw usageError(`--nodes ${nodes}: ${error.message}`);
      throw error;
    }
  }
  const parsed = parseScenarioText(source.text, source.path);
  if (!parsed.ok) throw new CliError(exitCodes.configuration, parsed.error);
  if (nodes === null) return parsed.scenario;
  const resized = parseScenario({ ...(JSON.parse(source.text) as object), nodes }, source.path);
  if (!resized.ok) throw usageError(`--nodes ${nodes} does not fit: ${resized.error}`);
  return resized.scenario;
}

/** How many nodes the run with this seed takes: the same for the same seed, evenly spread over seeds. */
export function nodesOfSeed(range: NodeRange, seed: string): number | null {
  if (range === null) return null;
  const [least, most] = range;
  return least === most
    ? least
    : least +
        createRng(seed)
          .fork("nodes")
          .below(most - least + 1);
}
