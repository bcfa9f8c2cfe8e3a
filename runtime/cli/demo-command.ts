/**
 * `patina demo`, also `npm start`: the partition experiment `split-heal` in the simulator, told
 * while it runs and drawn when it is over; then a cluster of real processes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunResult } from "../../sim/result.ts";
import { createRun } from "../../sim/run.ts";
import type { Run } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { clusterText, DemoCluster } from "./demo-cluster.ts";
import { demoText, groupText } from "./demo-text.ts";
import { exitCodes, systemReason, usageError } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { formatCount, formatDuration, plural } from "./format.ts";
import { OutputFile, assertWritable } from "./output-file.ts";
import { resolveScenario } from "./scenario-source.ts";
import type { Terminal } from "./terminal.ts";
import { lookAt } from "./timeline.ts";
import type { Moment } from "./timeline.ts";

export interface DemoFlags {
  readonly nodes?: number;
  readonly dir: string;
  readonly seed: string;
  readonly once?: true;
  readonly json?: true;
}

/** Everything there is to tell about a demo run. */
export interface DemoStory {
  readonly scenario: Scenario;
  readonly result: RunResult;
  readonly moments: readonly Moment[];
  readonly nodes: readonly { readonly name: string; readonly hash: string }[];
  readonly traceFile: string;
  readonly scenarioFile: string;
  readonly command: string;
}

/** Nodes of the real cluster where nothing is said. */
const usualProcesses = 3;
/** Between two looks at the nodes, in virtual time. */
const lookEveryUs = 250_000;

/** @throws CliError: exit 2 for a number of nodes that does not fit, a folder that cannot be written. */
export async function demoCommand(flags: DemoFlags, terminal: Terminal): Promise<ExitCode> {
  const story = simulatedHalf(flags, terminal);
  const { json = false, once = false } = flags;
  if (!json)
    for (const line of demoText(story, terminal.columns, terminal.paint)) terminal.print(line);
  if (!story.result.ok) {
    if (json) terminal.print(JSON.stringify({ ...demoJson(story), cluster: null }));
    return exitCodes.failure;
  }
  const interrupted = untilInterrupted();
  const cluster = new DemoCluster(flags.dir, flags.nodes ?? usualProcesses, terminal);
  try {
    const proof = await Promise.race([cluster.prove(), interrupted]);
    if (proof === null) return exitCodes.ok;
    if (json) terminal.print(JSON.stringify({ ...demoJson(story), cluster: proof }));
    else for (const line of clusterText(proof, once, terminal)) terminal.print(line);
    if (!once && proof.agreed) await interrupted;
    return proof.agreed ? exitCodes.ok : exitCodes.failure;
  } finally {
    await cluster.stop();
  }
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the program at once. */
function untilInterrupted(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(null));
  });
}

function simulatedHalf(flags: DemoFlags, terminal: Terminal): DemoStory {
  const scenario = resolveScenario({ kind: "builtIn", name: "split-heal" }, flags.nodes ?? null);
  const traceFile = join(flags.dir, "split-heal.ndjson.gz");
  const scenarioFile = join(flags.dir, "split-heal.json");
  try {
    mkdirSync(flags.dir, { recursive: true });
  } catch (error) {
    throw usageError(`--dir: cannot make ${flags.dir}: ${systemReason(error)}`);
  }
  assertWritable("--dir", traceFile);
  assertWritable("--dir", scenarioFile);
  writeFileSync(scenarioFile, `${JSON.stringify(scenario, null, 2)}\n`);

  terminal.talk(`${terminal.paintTalk("bold", "split-heal")}: ${scenario.summary}`);
  terminal.talk(
    `${plural(scenario.nodes.length, "simulated node")} that run the real protocol, seed ${flags.seed}`,
  );
  const trace = new OutputFile(traceFile);
  const run = createRun(scenario, {
    seed: flags.seed,
    trace: (line) => trace.write(line),
    wallClock: () => performance.now(),
  });
  const moments = watch(run, terminal);
  trace.close();
  const result = run.result();
  return {
    scenario,
    result,
    moments,
    nodes: run.world.nodes.map(({ name, summary }) => ({ name, hash: summary.hash })),
    traceFile,
    scenarioFile,
    command: demoRepeat(flags),
  };
}

function demoRepeat(flags: DemoFlags): string {
  const nodes = flags.nodes === undefined ? "" : ` --nodes ${flags.nodes}`;
  return `npx patina demo --seed ${flags.seed}${nodes}`;
}

/** Runs to the end, looking at the nodes all the time and telling what happens. */
function watch(run: Run, terminal: Terminal): Moment[] {
  const moments: Moment[] = [lookAt(run)];
  const healUs = healTimesUs(run.scenario);
  let cuts = 0;
  for (let nextUs = lookEveryUs; !run.done; nextUs += lookEveryUs) {
    // Just before a cut ends the sides are as far apart as they get.
    for (const atUs of healUs) {
      if (atUs <= nextUs - lookEveryUs || atUs > nextUs) continue;
      run.step(atUs - 1);
      moments.push(lookAt(run));
    }
    run.step(nextUs);
    const moment = lookAt(run);
    moments.push(moment);
    const inForce = run.faults.active.flatMap(({ fault }) =>
      fault.kind === "partition" ? [fault] : [],
    );
    if (inForce.length > cuts) {
      const sides = inForce.at(-1)?.groups.map((group) => groupText(run.scenario, group));
      tell(
        terminal,
        moment,
        `the network is cut: ${sides?.join(" | ") ?? ""}; both sides are written to`,
      );
    } else if (inForce.length < cuts) {
      const before = moments.at(-2);
      tell(
        terminal,
        moment,
        `the cut is healed; ${formatCount(before?.rowsApart ?? 0)} of ${formatCount(before?.rows ?? 0)} rows differ`,
      );
    }
    cuts = inForce.length;
    showProgress(run, moment, terminal);
  }
  terminal.clearProgress();
  return moments;
}

function healTimesUs(scenario: Scenario): number[] {
  const times = scenario.faults.flatMap((fault) => {
    if (fault.kind === "heal") return [fault.atMs];
    return fault.kind === "partition" && fault.untilMs !== null ? [fault.untilMs] : [];
  });
  return [...times, scenario.durationMs].map((ms) => Math.round(ms * 1000));
}

function tell(terminal: Terminal, moment: Moment, what: string): void {
  terminal.talk(`  ${formatDuration(moment.atMs).padStart(7)}  ${what}`);
}

function showProgress(run: Run, moment: Moment, terminal: Terminal): void {
  const seconds = `${(moment.atMs / 1000).toFixed(1)} of ${(run.scenario.durationMs / 1000).toFixed(0)} s`;
  const agree = moment.states === 1 ? "all agree" : `${moment.rowsApart} rows differ`;
  terminal.progress(`  ${seconds}, ${formatCount(run.progress().messages)} messages, ${agree}`);
}

function demoJson(story: DemoStory): object {
  const worst = story.moments.reduce((a, b) => (b.rowsApart >= a.rowsApart ? b : a));
  return {
    ...story.result,
    worst: {
      atMs: worst.atMs,
      rowsApart: worst.rowsApart,
      rows: worst.rows,
      missing: worst.missing,
    },
    stateHashes: story.nodes.map(({ name, hash }) => ({ name, hash })),
    trace: story.traceFile,
    scenarioFile: story.scenarioFile,
  };
}
