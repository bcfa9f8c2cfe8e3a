/** The verdict of `patina demo`: a picture of the run, then what happened in words and figures. */
import type { RunResult } from "../../sim/result.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { DemoStory } from "./demo-command.ts";
import { formatBytes, formatCount, formatDuration, formatTable, plural } from "./format.ts";
import { shadeMissing, sparkline, timeScale } from "./picture.ts";
import type { Paint } from "./terminal.ts";
import { slots } from "./timeline.ts";
import type { Moment } from "./timeline.ts";

/** Wider strips than this are no easier to read. */
const widestStrip = 100;
/** Rows of the picture and of the list of hashes; of more nodes the rest is counted. */
const mostNodesShown = 12;

export function demoText(story: DemoStory, columns: number, paint: Paint): string[] {
  return ["", ...picture(story, columns, paint), "", ...verdict(story, paint), ""];
}

/** Some nodes by name: "n0 n1", and of many the first and the last. */
export function groupText(scenario: Scenario, group: readonly number[]): string {
  const names = group.map((n) => scenario.nodes[n]?.name ?? `n${n}`);
  return names.length <= 6
    ? names.join(" ")
    : `${names[0] ?? ""} … ${names.at(-1) ?? ""} (${plural(names.length, "node")})`;
}

function picture(story: DemoStory, columns: number, paint: Paint): string[] {
  const { moments } = story;
  const label =
    Math.max(9, ...story.nodes.slice(0, mostNodesShown).map(({ name }) => name.length)) + 2;
  const width = Math.max(20, Math.min(widestStrip, columns - label - 2));
  const endMs = pictureEndMs(story);
  const strip = slots(
    moments.filter(({ atMs }) => atMs <= endMs),
    endMs,
    width,
  );
  const most = Math.max(1, ...moments.flatMap(({ missing }) => missing.map((n) => n ?? 0)));
  const side = sideOf(story.result);
  const shown = story.nodes.slice(0, mostNodesShown);
  const lines = shown.map(({ name }, n) => {
    const cells = strip
      .map((moment) => shadeMissing(moment?.missing[n] ?? undefined, most))
      .join("");
    return `  ${name.padEnd(label)}${paint(side[n] === 0 ? "cyan" : "yellow", cells)}`;
  });
  if (shown.length < story.nodes.length)
    lines.push(
      `  ${"".padEnd(label)}and ${plural(story.nodes.length - shown.length, "more node")}`,
    );
  const apart = strip.map((moment) => moment?.rowsApart ?? 0);
  const cuts = story.result.partitions.flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, label: `cut at ${seconds(fromMs)}` },
    { atMs: toMs, label: `healed at ${seconds(toMs)}` },
  ]);
  lines.push(
    `  ${"rows apart".padEnd(label)}${paint("red", sparkline(apart))}`.trimEnd(),
    `  ${"".padEnd(label)}${paint("dim", timeScale(endMs, width, [{ atMs: 0, label: "0 s" }, ...cuts]))}`,
    `  ${"".padEnd(label)}${paint("dim", "█ has all but what is on its way; ▓ ▒ ░ lacks more and more")}`,
  );
  return lines;
}

/** A little beyond the moment of agreement: the quiet watched after it shows nothing. */
function pictureEndMs(story: DemoStory): number {
  const { result, scenario } = story;
  const agreedMs = scenario.durationMs + (result.convergedAfterMs ?? result.virtualMs);
  return Math.min(result.virtualMs, Math.max(agreedMs, scenario.durationMs) * 1.1);
}

function sideOf(result: RunResult): number[] {
  const sides: number[] = [];
  result.partitions[0]?.groups.forEach((group, i) => {
    for (const n of group) sides[n] = i;
  });
  return sides;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function verdict(story: DemoStory, paint: Paint): string[] {
  const { result, scenario } = story;
  const rows: (readonly [string, string])[] = [];
  for (const cut of result.partitions) {
    const groups = cut.groups.map((group) => groupText(scenario, group)).join(" | ");
    rows.push([
      "cut",
      `${groups}, from ${seconds(cut.fromMs)} to ${seconds(cut.toMs)} of virtual time`,
    ]);
  }
  rows.push(
    ["drifted apart", driftText(story)],
    ["back together", togetherText(result)],
    ["writes", writesText(result)],
  );
  const { paintMark, words } = outcome(result, paint);
  return [
    `${paintMark} ${paint("bold", words)}`,
    "",
    ...formatTable(rows, ["left", "left"]).map((line) => `  ${line}`),
    "",
    ...trafficTable(result).map((line) => `  ${line}`),
    "",
    ...hashLines(story),
    "",
    ...violationLines(result, paint),
    `  trace   ${story.traceFile} (trace hash ${result.traceHash})`,
    `  repeat  ${story.command}`,
    `  change  edit ${story.scenarioFile}, then npx patina sim ${story.scenarioFile} --seed ${result.seed}`,
  ];
}

function outcome(result: RunResult, paint: Paint): { paintMark: string; words: string } {
  if (result.ok) {
    return {
      paintMark: paint("green", "✓"),
      words: `All ${result.nodes} nodes hold the same data again, ${formatDuration(result.convergedAfterMs ?? 0)} after healing; no write was lost.`,
    };
  }
  const why = result.converged
    ? `${plural(result.violations.length, "violation")} found`
    : "the nodes do not agree";
  return { paintMark: paint("red", "✗"), words: `The experiment failed: ${why}.` };
}

function driftText(story: DemoStory): string {
  const worst = furthest(story.moments);
  const lacking = worst.missing.map((n) => n ?? 0);
  const least = Math.max(...lacking);
  const who = story.nodes[lacking.indexOf(least)]?.name ?? "";
  return (
    `at ${seconds(worst.atMs)}, ${formatCount(worst.rowsApart)} of ${plural(worst.rows, "row")} differed ` +
    `and ${who} lacked ${formatCount(least)} of ${plural(worst.versions, "version")}`
  );
}

function furthest(moments: readonly Moment[]): Moment {
  const total = ({ missing }: Moment): number =>
    missing.reduce((sum: number, n) => sum + (n ?? 0), 0);
  return moments.reduce((a, b) => (total(b) > total(a) ? b : a));
}

function togetherText(result: RunResult): string {
  if (result.convergedAfterMs === null) return "never";
  return `${formatDuration(result.convergedAfterMs)} after healing, and quiet after that`;
}

function writesText(result: RunResult): string {
  const { acked, failed, lost } = result.writes;
  return `${formatCount(acked)} acknowledged, ${formatCount(lost)} lost; ${formatCount(failed)} refused (inserts of rows that were there)`;
}

function trafficTable(result: RunResult): string[] {
  const perNodeSecond = (bytes: number): string =>
    `${formatBytes(bytes / result.nodes / (result.virtualMs / 1000))}/s`;
  const row = (name: string, messages: number, bytes: number): string[] => [
    name,
    formatCount(messages),
    formatBytes(bytes),
    perNodeSecond(bytes),
  ];
  const { swim, gossip, sync } = result.planes;
  return formatTable(
    [
      ["traffic", "messages", "bytes", "a node"],
      row("membership (swim)", swim.messages, swim.bytes),
      row("broadcast (gossip)", gossip.messages, gossip.bytes),
      row("repair (sync)", sync.messages, sync.bytes),
      row("all", result.messages, result.bytes),
    ],
    ["left", "right", "right", "right"],
  );
}

function hashLines(story: DemoStory): string[] {
  const shown = story.nodes.slice(0, mostNodesShown).map(({ name, hash }) => [name, hash]);
  const lines = formatTable([["node", "state hash"], ...shown], ["left", "left"]).map(
    (line) => `  ${line}`,
  );
  const rest = story.nodes.slice(mostNodesShown);
  if (rest.length > 0) {
    const same = rest.filter(({ hash }) => hash === story.nodes[0]?.hash).length;
    lines.push(
      `  and ${plural(rest.length, "more node")}, ${formatCount(same)} with the hash of ${story.nodes[0]?.name ?? ""}`,
    );
  }
  return lines;
}

function violationLines(result: RunResult, paint: Paint): string[] {
  if (result.violations.length === 0) return [];
  const lines = result.violations.slice(0, 10).map(({ check, atMs, node, detail }) => {
    const where = node === undefined ? "" : ` on node ${node}`;
    return `  ${paint("red", check)} at ${formatDuration(atMs)}${where}: ${detail}`;
  });
  return [...lines, ""];
}
