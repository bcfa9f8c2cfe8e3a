/** Puts one mutant into a copy of the source and finds out who notices: first the simulator, then the tests. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Mutant } from "./mutant.ts";
import type { ProbeLine } from "./probe.ts";
import { type Ended, Workspace } from "./workspace.ts";

export interface Verdict {
  readonly mutant: Mutant;
  /** Null: it survived. */
  readonly caught: {
    /** `check converge`, `test WI05: …`. */
    readonly by: string;
    /** Where the simulator caught it: scenario and seed. */
    readonly where: string;
    readonly detail: string;
  } | null;
  /** Runs of the simulator, the one that caught it included. */
  readonly runs: number;
  readonly seconds: number;
}

export interface HuntOptions {
  /** The source without a fault, which nobody edits meanwhile. */
  readonly source: Workspace;
  /** A program that runs longer is taken to hang. */
  readonly limitMs: number;
  readonly progress: (mutant: Mutant, doing: string) => void;
}

/** Errors of the compiler that say that the fault is no program, rather than a wrong one. */
const noProgram = /error TS(2304|2305|2339|2551|2552|2554|18004)\b/;

export async function hunt(mutant: Mutant, options: HuntOptions): Promise<Verdict> {
  const startedMs = performance.now();
  const workspace = new Workspace(options.source.folder);
  const verdict = (caught: Verdict["caught"], runs: number): Verdict => ({
    mutant,
    caught,
    runs,
    seconds: (performance.now() - startedMs) / 1000,
  });
  try {
    workspace.apply(mutant);
    options.progress(mutant, "compiling");
    await expectProgram(workspace, mutant, options);
    const sim = await probe(workspace, mutant, options);
    if (sim.caught !== null) return verdict(sim.caught, sim.runs);
    return verdict(await runTests(workspace, mutant, options), sim.runs);
  } finally {
    workspace.remove();
  }
}

/** @throws Error when the mutated file names things that are not there: any test would fail then. */
async function expectProgram(
  workspace: Workspace,
  { name, file }: Mutant,
  { limitMs }: HuntOptions,
): Promise<void> {
  const room = file.split("/", 1)[0] as string;
  const config = room === "core" || room === "sim" ? `${room}/tsconfig.json` : "tsconfig.json";
  const { output } = await workspace.run(
    ["node_modules/typescript/bin/tsc", "-p", config, "--pretty", "false"],
    limitMs,
  );
  const wrong = output
    .split("\n")
    .find((line) => line.startsWith(`${file}(`) && noProgram.test(line));
  if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
}

async function probe(
  workspace: Workspace,
  mutant: Mutant,
  { limitMs, progress }: HuntOptions,
): Promise<{ caught: Verdict["caught"]; runs: number }> {
  if (mutant.sim.length === 0) return { caught: null, runs: 0 };
  let runs = 0;
  let last: ProbeLine | null = null;
  let where = mutant.sim[0]?.scenario ?? "";
  const ended = await workspace.run(
    ["test/mutants/probe.ts", JSON.stringify(mutant.sim)],
    limitMs,
    (text) => {
      const line = JSON.parse(text) as ProbeLine;
      last = line;
      if (line.type !== "ran") return;
      runs++;
      where = line.scenario;
      progress(mutant, `${line.scenario}, ${runs} runs`);
    },
  );
  const end = last as ProbeLine | null;
  if (end?.type === "caught") {
    const { scenario, seed, by, detail } = end;
    return { caught: { by, where: `${scenario} --seed ${seed}`, detail }, runs: end.runs };
  }
  if (end?.type === "survived" && ended.exitCode === 0) return { caught: null, runs };
  if (end === null)
    throw new Error(`${mutant.name}: the simulator does not start: ${ended.errors}`);
  return { caught: { ...howItEnded(ended), where }, runs: runs + 1 };
}

function howItEnded({ exitCode, errors }: Ended): { by: string; detail: string } {
  if (exitCode === null) return { by: "hang", detail: "the run did not end" };
  return { by: "crash", detail: errors.trim().split("\n").at(-1) ?? `exit code ${exitCode}` };
}

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

async function runTests(
  workspace: Workspace,
  mutant: Mutant,
  { limitMs, progress }: HuntOptions,
): Promise<Verdict["caught"]> {
  if (mutant.tests.length === 0) return null;
  progress(mutant, `tests in ${mutant.tests.join(", ")}`);
  const report = join(workspace.folder, "report.json");
  const ended = await workspace.run(
    [
      "node_modules/vitest/vitest.mjs",
      "run",
      ...mutant.tests,
      "--bail=1",
      // A busy machine is no fault: only the limit for the whole program says that it hangs.
      `--testTimeout=${limitMs}`,
      "--reporter=json",
      `--outputFile=${report}`,
    ],
    limitMs,
  );
  if (ended.exitCode === null) return { by: "test hang", where: "", detail: "did not end" };
  if (ended.exitCode === 0) return null;
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as TestReport;
  for (const { name, message, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    if (failed !== undefined) {
      const detail = failed.failureMessages?.[0]?.split("\n")[0] ?? "";
      return { by: `test ${failed.title}`, where: relative(workspace.folder, name), detail };
    }
    if (message !== undefined && message !== "") {
      return {
        by: "test file",
        where: relative(workspace.folder, name),
        detail: message.split("\n")[0] as string,
      };
    }
  }
  throw new Error(`${mutant.name}: vitest failed without a failed test: ${ended.errors}`);
}
