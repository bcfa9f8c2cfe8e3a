/** One cell of an experiment, run and timed. */
import type { Flat } from "../../experiments/bench/experiment.ts";
import { loadExperiment } from "../../experiments/bench/registry.ts";

export interface CellTask {
  readonly experiment: string;
  readonly cell: Flat;
}

export interface CellAnswer {
  /** The cell and what was measured in it. */
  readonly row: Flat;
  /** Of this thread, or what the cell says that its own processes took. */
  readonly cpuSeconds: number;
}

export async function runCell({ experiment, cell }: CellTask): Promise<CellAnswer> {
  const loaded = await loadExperiment(experiment);
  const before = process.threadCpuUsage();
  const measured = await loaded.runCell(cell);
  const { user, system } = process.threadCpuUsage(before);
  const inProcesses = measured["cpuSeconds"];
  const cpuSeconds = (user + system) / 1e6 + (typeof inProcesses === "number" ? inProcesses : 0);
  return { row: { ...cell, ...measured }, cpuSeconds: Math.round(cpuSeconds * 1000) / 1000 };
}
