/**
 * Runs scenarios over seeds until a check finds something: started by `main.ts` as a program of its
 * own inside the copy of the source that has the fault. Prints one JSON line per run and one with
 * the verdict.
 */
import { runScenario } from "../../sim/run.ts";
import type { SimTry } from "./mutant.ts";
import { mutantScenario } from "./scenarios.ts";

export type ProbeLine =
  /** All modules are loaded: what fails from here on fails because of the fault. */
  | { readonly type: "ready" }
  | { readonly type: "ran"; readonly scenario: string; readonly seed: string }
  | {
      readonly type: "caught";
      readonly scenario: string;
      readonly seed: string;
      /** Runs until then, this one included. */
      readonly runs: number;
      /** Name of the check, or what else gave the fault away. */
      readonly by: string;
      readonly detail: string;
    }
  | { readonly type: "survived"; readonly runs: number };

function print(line: ProbeLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** What is wrong with one run; null when nothing is. */
function judge(scenario: string, seed: string): { by: string; detail: string } | null {
  try {
    const result = runScenario(mutantScenario(scenario), { seed });
    const first = result.violations[0];
    if (first !== undefined) return { by: first.check, detail: first.detail };
    return result.ok ? null : { by: "verdict", detail: "the run is not ok, with no violation" };
  } catch (error) {
    return { by: "exception", detail: (error as Error).message };
  }
}

function probe(tries: readonly SimTry[]): void {
  let runs = 0;
  print({ type: "ready" });
  for (const { scenario, seeds } of tries) {
    for (let n = 1; n <= seeds; n++) {
      const seed = `mutant-${n}`;
      runs++;
      const wrong = judge(scenario, seed);
      if (wrong !== null) {
        print({ type: "caught", scenario, seed, runs, ...wrong });
        return;
      }
      print({ type: "ran", scenario, seed });
    }
  }
  print({ type: "survived", runs });
}

probe(JSON.parse(process.argv[2] ?? "[]") as SimTry[]);
