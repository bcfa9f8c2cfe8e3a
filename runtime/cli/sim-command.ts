/** `patina sim`: scenarios one after another, each as one run or as a sweep over seeds. */
import type { Progress } from "../../sim/run.ts";
import { builtIns } from "../../sim/scenarios/built-in.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { formatCount, formatTable, plural } from "./format.ts";
import { runAlone } from "./run-task.ts";
import { planScenarios } from "./sim-options.ts";
import type { PlannedScenario, SimFlags } from "./sim-options.ts";
import { runText, sweepText } from "./sim-text.ts";
import { sweep } from "./sweep.ts";
import type { Terminal } from "./terminal.ts";

/** @throws CliError: wrong use or a scenario that is not valid, before anything runs. */
export async function simCommand(
  words: readonly string[],
  flags: SimFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  if (flags.list === true) {
    printList(flags.json === true, terminal);
    return exitCodes.ok;
  }
  let ok = true;
  for (const planned of planScenarios(words, flags)) {
    const passed =
      flags.runs === undefined
        ? await one(planned, flags, terminal)
        : await many(planned, flags.runs, flags, terminal);
    ok &&= passed;
  }
  return ok ? exitCodes.ok : exitCodes.failure;
}

function printList(json: boolean, terminal: Terminal): void {
  const list = builtIns.map(({ name, summary, nodes }) => ({ name, summary, nodes }));
  if (json) {
    terminal.print(JSON.stringify(list));
    return;
  }
  const rows = list.map(({ name, summary, nodes }) => [name, String(nodes), summary]);
  for (const line of formatTable(
    [["name", "nodes", "what happens"], ...rows],
    ["left", "right", "left"],
  )) {
    terminal.print(line);
  }
}

async function one(
  planned: PlannedScenario,
  flags: SimFlags,
  terminal: Terminal,
): Promise<boolean> {
  const { plan, seed } = planned;
  announce(planned, terminal);
  const result = await runAlone(
    plan,
    seed,
    terminal.live ? progressOn(planned.name, terminal) : undefined,
  );
  terminal.clearProgress();
  const files = [plan.trace, plan.dump].filter((path) => path !== null);
  if (flags.json === true) terminal.print(JSON.stringify(result));
  else for (const line of runText(result, files, terminal.paint)) terminal.print(line);
  if (planned.shrink !== null) {
    const { shrinkRun } = await import("./sim-shrink.ts");
    await shrinkRun(plan, seed, planned.shrink, terminal);
  }
  return result.ok;
}

async function many(
  planned: PlannedScenario,
  runs: number,
  flags: SimFlags,
  terminal: Terminal,
): Promise<boolean> {
  const { name, plan, seed } = planned;
  announce(planned, terminal);
  const report = await sweep(
    { name, plan, seed, runs, shard: flags.shard ?? null, jobs: flags.jobs ?? null },
    terminal,
  );
  if (flags.json === true) terminal.print(JSON.stringify(report));
  else for (const line of sweepText(report, terminal.paint)) terminal.print(line);
  return report.ok;
}

/** The seed first: whatever happens then can be repeated. */
function announce({ name, summary, seed, seedDrawn }: PlannedScenario, terminal: Terminal): void {
  terminal.talk(terminal.paintTalk("dim", summary === "" ? name : `${name}: ${summary}`));
  terminal.talk(
    terminal.paintTalk("dim", `seed ${seed}${seedDrawn ? " (drawn; --seed repeats the run)" : ""}`),
  );
}

function progressOn(name: string, terminal: Terminal): (progress: Progress) => void {
  let shownMs = 0;
  return ({ atMs, durationMs, phase, messages, states }) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < 80) return;
    shownMs = nowMs;
    const time = `${(atMs / 1000).toFixed(1)} of ${(durationMs / 1000).toFixed(0)} s`;
    const doing = phase === "faults" ? time : `${phase} (${(atMs / 1000).toFixed(1)} s)`;
    terminal.progress(
      `${name}: ${doing}, ${plural(states, "state")}, ${formatCount(messages)} messages`,
    );
  };
}
