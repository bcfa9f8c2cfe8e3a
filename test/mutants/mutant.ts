/** A small fault put into the source on purpose: whatever watches over the protocol must notice it. */
import { stripTypeScriptTypes } from "node:module";

export interface Mutant {
  /** Kebab-case, its room first: `merge-lower-causal-length-wins`. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong because of it, in a sentence. */
  readonly fault: string;
  /** Scenarios that should meet it, tried in turn; none: no run of the simulator could. */
  readonly sim: readonly SimTry[];
  /** Tests that should catch it, as paths for vitest. */
  readonly tests: readonly string[];
}

export interface SimTry {
  readonly scenario: string;
  /** At most so many seeds. */
  readonly seeds: number;
}

/** The source with the fault in it. @throws Error when the text is not there exactly once, or what comes out is no program. */
export function mutate(mutant: Mutant, source: string): string {
  const { name, file, find, replace } = mutant;
  const at = source.indexOf(find);
  if (find === "" || at < 0) throw new Error(`${name}: ${file} does not hold the text to replace`);
  if (source.indexOf(find, at + 1) >= 0) {
    throw new Error(`${name}: ${file} holds the text to replace more than once`);
  }
  if (find === replace) throw new Error(`${name}: the replacement changes nothing`);
  const mutated = source.slice(0, at) + replace + source.slice(at + find.length);
  try {
    stripTypeScriptTypes(mutated);
  } catch (error) {
    throw new Error(`${name}: ${file} is no program any more`, { cause: error });
  }
  return mutated;
}
