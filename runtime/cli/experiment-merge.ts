/** The shards of one experiment as the results that they are parts of. */
import { readFileSync } from "node:fs";
import type { Experiment, Flat } from "../../experiments/bench/experiment.ts";
import { type Results, resultsOf, type Shard } from "../../experiments/bench/results.ts";
import { systemReason, usageError } from "./exit-codes.ts";

/** @throws CliError (exit 2): a file that cannot be read or is no shard. */
export function readShard(file: string): Shard {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw usageError(`cannot read ${file}: ${systemReason(error)}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = null;
  }
  if (!isShard(json)) {
    throw usageError(`${file}: not a shard (patina experiment run NAME --shard I/N)`);
  }
  return json;
}

function isShard(json: unknown): json is Shard {
  if (typeof json !== "object" || json === null) return false;
  const { experiment, size, seed, shard, done } = json as Partial<Shard>;
  return (
    typeof experiment === "string" &&
    (size === "full" || size === "quick") &&
    typeof seed === "string" &&
    typeof shard?.index === "number" &&
    typeof shard.of === "number" &&
    Array.isArray(done)
  );
}

/** @throws CliError (exit 2) naming what does not fit. */
export function mergeShards(
  experiment: Experiment,
  parts: readonly { readonly file: string; readonly shard: Shard }[],
): Results {
  const [first] = parts;
  if (first === undefined) throw usageError("there is nothing to merge");
  const seen = new Map<number, string>();
  for (const { file, shard } of parts) {
    for (const key of ["experiment", "size", "seed"] as const) {
      if (shard[key] === first.shard[key]) continue;
      throw usageError(
        `${file}: ${key} is ${shard[key]}, in ${first.file} it is ${first.shard[key]}: shards of one run agree`,
      );
    }
    const { index, of } = shard.shard;
    if (of !== first.shard.shard.of) {
      throw usageError(
        `${file}: one of ${of} shards, ${first.file} is one of ${first.shard.shard.of}`,
      );
    }
    const other = seen.get(index);
    if (other !== undefined) throw usageError(`${file}: shard ${index} is in ${other} already`);
    seen.set(index, file);
  }
  const { of, node } = first.shard.shard;
  for (let i = 1; i <= of; i++) {
    if (!seen.has(i)) throw usageError(`shard ${i} of ${of} is missing`);
  }
  const { size, seed } = first.shard;
  const done = parts.flatMap(({ shard }) => shard.done);
  const cells = experiment.cells(size, seed);
  if (done.length !== cells.length) {
    throw usageError(
      `the shards hold ${done.length} cells, the experiment has ${cells.length}: they were made by another version`,
    );
  }
  for (const { index, row } of done) {
    if (isOf(row, cells[index])) continue;
    throw usageError(
      `cell ${index} of the shards is not one of this experiment: they were made by another version`,
    );
  }
  return resultsOf(experiment, { experiment: experiment.name, size, seed }, done, node);
}

/** Is this row a measurement of that cell? */
function isOf(row: Flat, cell: Flat | undefined): boolean {
  return cell !== undefined && Object.entries(cell).every(([key, value]) => row[key] === value);
}
