/** All experiments, in the order of their numbers; each is loaded when it is asked for. */
import type { Experiment } from "./experiment.ts";

const loaders: Readonly<Record<string, () => Promise<{ readonly default: Experiment }>>> = {
  "01-failure-detection": () => import("../01-failure-detection/run.ts"),
  "02-false-positives": () => import("../02-false-positives/run.ts"),
  "03-broadcast": () => import("../03-broadcast/run.ts"),
  "04-world-wide": () => import("../04-world-wide/run.ts"),
  "05-partition-and-heal": () => import("../05-partition-and-heal/run.ts"),
  "06-anti-entropy": () => import("../06-anti-entropy/run.ts"),
  "07-conflict-rules": () => import("../07-conflict-rules/run.ts"),
  "08-simulator-scale": () => import("../08-simulator-scale/run.ts"),
  "09-sim-and-reality": () => import("../09-sim-and-reality/run.ts"),
};

export const experimentNames: readonly string[] = Object.keys(loaders);

/** @throws RangeError when there is no such experiment. */
export async function loadExperiment(name: string): Promise<Experiment> {
  const load = loaders[name];
  if (load === undefined) throw new RangeError(`no experiment ${name}`);
  return (await load()).default;
}

export async function loadAll(): Promise<Experiment[]> {
  return await Promise.all(experimentNames.map(loadExperiment));
}
