/** `patina sim --shrink FILE`: from a failing run to a small scenario file that still fails. */
import { writeFileSync } from "node:fs";
import { shrink } from "../../sim/shrink/shrink.ts";
import type { ScenarioSize, ShrinkProgress } from "../../sim/shrink/shrink.ts";
import { formatCount, plural } from "./format.ts";
import { shellWord } from "./run-task.ts";
import type { RunPlan } from "./run-task.ts";
import { nodesOfSeed, resolveScenario } from "./scenario-source.ts";
import { withStores } from "./stores.ts";
import type { Terminal } from "./terminal.ts";

/** Writes `file` if the run with this seed breaks a check; tells in talk what it did. */
export async function shrinkRun(
  plan: RunPlan,
  seed: string,
  file: string,
  terminal: Terminal,
): Promise<void> {
  const scenario = resolveScenario(plan.source, nodesOfSeed(plan.nodes, seed));
  let shownMs = 0;
  const progress = ({ runs, size }: ShrinkProgress): void => {
    const nowMs = performance.now();
    if (nowMs - shownMs < 80) return;
    shownMs = nowMs;
    terminal.progress(`shrinking: ${formatCount(runs)} runs, down to ${sizeText(size)}`);
  };
  const shrunk = await withStores(plan.store, (storeFactory) =>
    shrink(scenario, { seed, storeFactory, progress }),
  );
  terminal.clearProgress();
  if (shrunk === null) {
    terminal.talk("nothing to shrink: no check was broken");
    return;
  }
  writeFileSync(file, `${JSON.stringify(shrunk.scenario, null, 2)}\n`);
  terminal.talk(
    `shrunk in ${plural(shrunk.runs, "run")} to ${sizeText(shrunk.size)} that still break ${shrunk.check}: ${file}`,
  );
  const store = plan.store === "memory" ? "" : ` --store ${plan.store}`;
  terminal.talk(`repeat with: patina sim ${shellWord(file)}${store}`);
}

function sizeText({ nodes, faults, writes }: ScenarioSize): string {
  return `${plural(nodes, "node")}, ${plural(faults, "fault")} and ${plural(writes, "write")}`;
}
