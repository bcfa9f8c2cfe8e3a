/** Where results live: one folder an experiment, and the pages that gather them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Experiment } from "./experiment.ts";
import { gatheredPage, reportPage } from "./gathered.ts";
import { pageOf } from "./page.ts";
import { csvText, type Results, resultsText } from "./results.ts";

/** The folder of this repository that holds the published results. */
export const publishedFolder = fileURLToPath(new URL("..", import.meta.url));

export function templateOf(name: string): string {
  return readFileSync(join(publishedFolder, name, "template.md"), "utf8");
}

/** Null when the experiment has none in `folder`. @throws Error naming a file that is none. */
export function readResults(folder: string, name: string): Results | null {
  const file = join(folder, name, "results.json");
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch (error) {
    throw new Error(`${file} holds no results`, { cause: error });
  }
}

/** The text of every file that follows from an experiment's results, by its name. */
export function filesOf(experiment: Experiment, results: Results): Record<string, string> {
  return {
    "results.json": resultsText(results),
    "results.csv": csvText(results.rows),
    "plot.svg": experiment.plot(results.summary),
    "README.md": pageOf(experiment, templateOf(experiment.name), results),
  };
}

export function writeResults(folder: string, experiment: Experiment, results: Results): void {
  const own = join(folder, experiment.name);
  mkdirSync(own, { recursive: true });
  // What took long first: a page that cannot be made can be made later.
  writeFileSync(join(own, "results.json"), resultsText(results));
  for (const [name, text] of Object.entries(filesOf(experiment, results))) {
    writeFileSync(join(own, name), text);
  }
}

export interface Gathered {
  readonly experiment: Experiment;
  readonly results: Results | null;
}

export function gather(folder: string, experiments: readonly Experiment[]): Gathered[] {
  return experiments.map((experiment) => ({
    experiment,
    results: readResults(folder, experiment.name),
  }));
}

/** README.md and report.html: all results in `folder` on one page each. */
export function gatheredFiles(gathered: readonly Gathered[]): Record<string, string> {
  const withPages = gathered.map(({ experiment, results }) => ({
    experiment,
    results,
    files: results === null ? null : filesOf(experiment, results),
  }));
  const frame = readFileSync(join(publishedFolder, "template.md"), "utf8");
  return {
    "README.md": gatheredPage(frame, withPages),
    "report.html": reportPage(withPages),
  };
}

export function writeGathered(folder: string, experiments: readonly Experiment[]): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(gatheredFiles(gather(folder, experiments)))) {
    writeFileSync(join(folder, name), text);
  }
}
