/** All experiments, in the order of their numbers; each is loaded when it is asked for. */
import type { Experiment } from "./experiment.ts";

const loaders: Readonly<Record<string, () => Promise<{ readonly default: Experiment }>>> = {
  "01-failure-detection": () => import("../01-failure-detection/run.ts"),
  "02-false-positives": () => import("../02-false-positives/run.ts"),
  "04-world-wide": () => import("../04-world-wide/run.ts"),
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
