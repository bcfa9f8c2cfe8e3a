/**
 * `npm run sim:mutants`: puts small faults into the protocol, one at a time, and shows that each is
 * caught, by the simulator's checks within a bounded number of seeds or by a test. One that
 * survives is a hole in what watches over the protocol; then the exit code is 1.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { CheckName } from "../../sim/check/check.ts";
import { hunt, type Verdict } from "./hunt.ts";
import { mutants } from "./list.ts";
import type { Mutant } from "./mutant.ts";
import { Workspace } from "./workspace.ts";

const help = `usage: npm run sim:mutants -- [options]

  --only NAME    hunt this mutant alone, or those whose name begins so; may be repeated
  --jobs N       at the same time; all cores by default
  --limit S      seconds after which a program is taken to hang (default 600)
  --list         print the mutants and what is wrong with each
  --no-control   leave out the run without any fault
`;

/**
 * The source as it is, under all that the chosen mutants are to be caught by: whatever is found in
 * it is no mutant's doing.
 */
function controlOf(chosen: readonly Mutant[]): Mutant {
  const seeds = new Map<string, number>();
  for (const { sim } of chosen) {
    for (const one of sim) {
      seeds.set(one.scenario, Math.max(one.seeds, seeds.get(one.scenario) ?? 0));
    }
  }
  return {
    name: controlName,
    file: "core/wire/envelope.ts",
    find: "export const wireVersion = 1;",
    replace: "export const wireVersion = 1; // no fault",
    fault: "none: this is the program as it is, and nothing may be found in it",
    sim: [...seeds].map(([scenario, most]) => ({ scenario, seeds: most })),
    tests: [...new Set(chosen.flatMap(({ tests }) => tests))],
  };
}

const controlName = "control";

/** Every check of the simulator: each must prove itself on a mutant. */
const checkNames: Readonly<Record<CheckName, true>> = {
  converge: true,
  "no-lost-write": true,
  "whole-versions": true,
  "causal-order": true,
  bookkeeping: true,
  "version-reuse": true,
  membership: true,
  "member-history": true,
  "false-deaths": true,
  "no-crash": true,
  bounds: true,
  quiescence: true,
};

function readArguments() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      jobs: { type: "string", default: String(availableParallelism()) },
      limit: { type: "string", default: "600" },
      list: { type: "boolean", default: false },
      "no-control": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const jobs = Number(values.jobs);
  const limitS = Number(values.limit);
  if (!Number.isInteger(jobs) || jobs < 1) throw new RangeError("--jobs is a whole number from 1");
  if (!(limitS > 0)) throw new RangeError("--limit is a number of seconds above 0");
  const { only } = values;
  const chosen = mutants.filter(
    ({ name }) => only.length === 0 || only.some((start) => name.startsWith(start)),
  );
  if (chosen.length === 0) throw new RangeError(`no mutant is called ${only.join(" or ")}`);
  const withControl = !values["no-control"];
  return {
    help: values.help,
    list: values.list,
    jobs,
    limitMs: limitS * 1000,
    all: only.length === 0,
    chosen: withControl ? [controlOf(chosen), ...chosen] : chosen,
  };
}

/** Hunts all, a few at a time, and prints each verdict as it comes. */
async function huntAll(chosen: readonly Mutant[], jobs: number, limitMs: number) {
  const verdicts: Verdict[] = [];
  const doing = new Map<string, string>();
  const show = (): void => {
    if (!process.stderr.isTTY) return;
    const all = [...doing].map(([name, what]) => `${name}: ${what}`).join(" | ");
    const line = `${verdicts.length}/${chosen.length} ${all}`;
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  };
  const queue = [...chosen];
  const source = new Workspace();
  const work = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await hunt(mutant, {
        source,
        limitMs,
        progress: ({ name }, what) => {
          doing.set(name, what);
          show();
        },
      });
      doing.delete(mutant.name);
      verdicts.push(verdict);
      if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
      process.stdout.write(`${row(verdict)}\n`);
      show();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, chosen.length) }, work));
  } finally {
    source.remove();
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  return verdicts;
}

const nameWidth = Math.max(...mutants.map(({ name }) => name.length));

function row({ mutant, caught, runs, seconds }: Verdict): string {
  const isControl = mutant.name === controlName;
  const by = caught === null ? (isControl ? "nothing found" : "SURVIVED") : caught.by;
  const found = caught === null ? "" : `  ${caught.where}`;
  const name = mutant.name.padEnd(nameWidth);
  const line = `${name}  ${String(runs).padStart(4)} runs  ${seconds.toFixed(0).padStart(4)} s  ${by}${found}`;
  if (isControl && caught !== null) return `${line}\n    ${caught.detail}`;
  return caught === null && !isControl ? `${line}\n    ${mutant.fault}` : line;
}

async function main(): Promise<number> {
  const options = readArguments();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  if (options.list) {
    for (const { name, file, fault } of mutants) {
      process.stdout.write(`${name.padEnd(nameWidth)}  ${file}: ${fault}\n`);
    }
    return 0;
  }
  const verdicts = await huntAll(options.chosen, options.jobs, options.limitMs);
  return conclude(verdicts, options.all);
}

function conclude(verdicts: readonly Verdict[], all: boolean): number {
  const hunted = verdicts.filter(({ mutant }) => mutant.name !== controlName);
  const survived = hunted.filter(({ caught }) => caught === null).length;
  const byTests = hunted.filter(({ caught }) => caught?.by.startsWith("test") === true).length;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(
    `${hunted.length} mutants: ${hunted.length - byTests - survived} caught by the simulator, ` +
      `${byTests} by tests, ${survived} survived`,
  );
  const falseAlarm = verdicts.some(
    ({ mutant, caught }) => mutant.name === controlName && caught !== null,
  );
  if (falseAlarm) say("the checks found something in the program without a fault");
  const proven = new Set(hunted.map(({ caught }) => caught?.by));
  const unproven = Object.keys(checkNames).filter((name) => !proven.has(name));
  if (all && unproven.length > 0) say(`checks that caught no mutant: ${unproven.join(", ")}`);
  return survived > 0 || falseAlarm || (all && unproven.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`sim:mutants: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
