/** What `patina sim` prints for people. */
import type { RunResult } from "../../sim/result.ts";
import { formatBytes, formatCount, formatDuration, formatTable, plural } from "./format.ts";
import type { TaskResult } from "./run-task.ts";
import type { SweepReport } from "./sweep-report.ts";
import type { Paint } from "./terminal.ts";

/** Violations and failed runs told one by one; `--json` has them all. */
const mostListed = 10;

/** One run: the verdict, then what happened. */
export function runText(result: TaskResult, files: readonly string[], paint: Paint): string[] {
  const lines = [verdict(result, paint)];
  const { writes } = result;
  const lost = `${formatCount(writes.lost)} lost`;
  lines.push(
    ...facts([
      ["time", `${formatDuration(result.virtualMs)} virtual in ${formatDuration(result.wallMs)}`],
      [
        "writes",
        `${formatCount(writes.acked)} acknowledged, ${formatCount(writes.failed)} failed, ${lost}` +
          (writes.lostWithDisk === 0
            ? ""
            : `, ${formatCount(writes.lostWithDisk)} gone with the only disk that held them`),
      ],
      ["messages", trafficText(result)],
      ["faults", faultsText(result.faults)],
      ["state hash", result.stateHash === "" ? "none: the nodes differ" : result.stateHash],
      ["trace hash", result.traceHash],
      ...files.map((file) => ["written", file] as const),
    ]),
  );
  if (result.doublecheck !== undefined && !result.doublecheck.equal) {
    lines.push(
      paint("red", `  run again, it was another run: trace hash ${result.doublecheck.traceHash}`),
    );
  }
  lines.push(...violationLines(result, paint));
  return lines;
}

function verdict(result: TaskResult, paint: Paint): string {
  const title = `${result.scenario}, seed ${result.seed}, ${plural(result.nodes, "node")}`;
  const twice =
    result.doublecheck === undefined
      ? ""
      : result.doublecheck.equal
        ? "; twice the same"
        : "; NOT the same twice";
  const agreement =
    result.convergedAfterMs === null
      ? "the nodes do not agree"
      : `all agree ${formatDuration(result.convergedAfterMs)} after the last disturbance`;
  const found =
    result.violations.length === 0 ? "" : `; ${plural(result.violations.length, "violation")}`;
  return `${mark(result.ok, paint)} ${title}: ${agreement}${found}${twice}`;
}

function mark(ok: boolean, paint: Paint): string {
  return ok ? paint("green", "✓") : paint("red", "✗");
}

function violationLines(result: TaskResult, paint: Paint): string[] {
  const lines = result.violations.slice(0, mostListed).map(({ check, atMs, node, detail }) => {
    const where = node === undefined ? "" : ` on node ${node}`;
    return `  ${paint("red", check)} at ${formatDuration(atMs)}${where}: ${detail}`;
  });
  const more = result.violations.length - lines.length;
  if (more > 0) lines.push(`  and ${plural(more, "more violation")}`);
  const [first] = result.violations;
  if (first !== undefined && !result.ok) lines.push(`  repeat with: ${first.repro}`);
  return lines;
}

export function trafficText(result: Pick<RunResult, "messages" | "bytes" | "planes">): string {
  const planes = Object.entries(result.planes).map(
    ([plane, { messages, bytes }]) => `${plane} ${formatCount(messages)} (${formatBytes(bytes)})`,
  );
  return `${formatCount(result.messages)} (${formatBytes(result.bytes)}): ${planes.join(", ")}`;
}

function faultsText(faults: Readonly<Record<string, number>>): string {
  const kinds = Object.entries(faults).map(([kind, count]) => `${formatCount(count)} ${kind}`);
  return kinds.length === 0 ? "none" : kinds.join(", ");
}

/** A sweep: the verdict, what was injected, and each failed run with the line that repeats it. */
export function sweepText(report: SweepReport, paint: Paint): string[] {
  const failed = report.failed.length;
  const shard =
    report.shard === undefined ? "" : ` (shard ${report.shard.index} of ${report.shard.of})`;
  const found = failed === 0 ? "none failed" : `${formatCount(failed)} failed`;
  const nodes = report.nodes === "default" ? "" : ` of ${report.nodes} nodes`;
  const after = report.convergedAfterMs;
  const lines = [
    `${mark(report.ok, paint)} ${report.scenario}: ${plural(report.runs, "run")}${nodes}${shard}, ${found}`,
    ...facts([
      ["seeds", `derived from ${report.seed}: run 1 is --seed ${report.seed}/1, and so on`],
      ["time", `${formatDuration(report.virtualMs)} virtual in ${formatDuration(report.wallMs)}`],
      [
        "agreement",
        after === null
          ? "never"
          : `after ${formatDuration(after.median)} in the median, ${formatDuration(after.p99)} at the 99th percentile, ${formatDuration(after.worst)} at worst (run ${after.worstRun})`,
      ],
      [
        "writes",
        `${formatCount(report.writes.acked)} acknowledged, ${formatCount(report.writes.lost)} lost`,
      ],
      ["messages", `${formatCount(report.messages)} (${formatBytes(report.bytes)})`],
      ["faults", faultsText(report.faults)],
    ]),
  ];
  for (const result of report.failed.slice(0, mostListed)) {
    lines.push(`run ${result.run}: ${verdict(result, paint)}`, ...violationLines(result, paint));
    if (result.violations.length === 0)
      lines.push(
        `  repeat with: patina sim ${report.scenario} --nodes ${result.nodes} --seed ${result.seed}`,
      );
  }
  if (failed > mostListed)
    lines.push(`and ${plural(failed - mostListed, "more failed run")}; --json has them all`);
  return lines;
}

function facts(rows: readonly (readonly [string, string])[]): string[] {
  return formatTable(rows, ["left", "left"]).map((line) => `  ${line}`);
}
