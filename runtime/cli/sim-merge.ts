/** `patina sim merge`: the shards of one sweep as the sweep that they are. */
import { readFileSync } from "node:fs";
import { exitCodes, systemReason, usageError } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { sweepText } from "./sim-text.ts";
import { mergeReports } from "./sweep-report.ts";
import type { SweepReport } from "./sweep-report.ts";
import type { Terminal } from "./terminal.ts";

/** @throws CliError (exit 2): a file that is not there or is no shard, shards that do not belong together. */
export function mergeCommand(
  files: readonly string[],
  flags: { readonly json?: true },
  terminal: Terminal,
): ExitCode {
  const merged = mergeReports(files.map((file) => ({ file, report: readReport(file) })));
  if (flags.json === true) terminal.print(JSON.stringify(merged));
  else for (const line of sweepText(merged, terminal.paint)) terminal.print(line);
  return merged.ok ? exitCodes.ok : exitCodes.failure;
}

function readReport(file: string): SweepReport {
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
    throw usageError(`${file}: not one JSON object, as \`patina sim … --shard I/N --json\` prints`);
  }
  if (!isReport(json))
    throw usageError(
      `${file}: not the result of a shard (patina sim … --runs K --shard I/N --json)`,
    );
  return json;
}

function isReport(json: unknown): json is SweepReport {
  if (typeof json !== "object" || json === null) return false;
  const report = json as Partial<SweepReport>;
  return (
    typeof report.runs === "number" &&
    Array.isArray(report.failed) &&
    typeof report.writes === "object" &&
    typeof report.faults === "object" &&
    Array.isArray(report.shard?.samples)
  );
}
