/** The tables of the page. */
import { markdownTable } from "../bench/page.ts";
import type { Estimate } from "../bench/statistics.ts";
import {
  lifeguardFirstDetectionSec,
  others,
  paperNodes,
  slowFalsePositives,
  troubled,
} from "./published.ts";
import { lineFor, type Summary, troubleFor } from "./summary.ts";

export function tables(summary: Summary): Record<string, string> {
  const troubleRuns = String(troubleFor(summary, "deaf")?.falseDowns.n ?? 0);
  return { table: all(summary), beside: beside(summary), troubleRuns };
}

function all(summary: Summary): string {
  return markdownTable([
    [
      "set-up, members",
      "runs",
      "suspected, s",
      "first down, s",
      "all know, s",
      "news, s",
      "B/s",
      "messages/period",
      "periods to a ping",
    ],
    ...summary.lines
      .toSorted((a, b) => a.nodes - b.nodes)
      .map((line) => [
        `${line.setup}, ${line.nodes.toLocaleString("en")}`,
        String(line.allDownSec.n),
        interval(line.suspectedSec),
        interval(line.firstDownSec),
        interval(line.allDownSec),
        interval(line.newsSec, 2),
        fixed(line.bytesPerSec, 0),
        fixed(line.messagesPerPeriod, 2),
        fixed(line.periodsToPing, 2),
      ]),
  ]);
}

/** Published and own figures, one line a source. */
function beside(summary: Summary): string {
  const { nodes, foca, memberlist } = troubled;
  const members = nodes.toLocaleString("en");
  const crash = lineFor(summary, "patina", nodes);
  const small = lineFor(summary, "patina", paperNodes);
  const [deaf, loss] = [troubleFor(summary, "deaf"), troubleFor(summary, "loss")];
  const bytes = (idle: number | undefined, lost: string): string =>
    [idle === undefined ? "" : fixed(idle, 0), lost].join(" · ");
  const rival = (name: "foca" | "memberlist", of: typeof foca | typeof memberlist): string[] => {
    const [sec, idle] = others[name][nodes];
    return [
      `${name}, ${members}`,
      String(sec),
      "",
      bytes(idle, of.lossBytesPerSec.toLocaleString("en")),
      `${of.deafFalseDowns} · ${of.lossFalseDowns}`,
    ];
  };
  const paper = (name: string, [any, healthy]: readonly [number, number]): string[] => [
    `${name} in the paper, ${paperNodes}`,
    "",
    String(lifeguardFirstDetectionSec),
    "",
    `some slow: ${perRepetition(any)}, at healthy members ${perRepetition(healthy)}`,
  ];
  return markdownTable([
    [
      "source, members",
      "a crash is known to all, s",
      "first detection, s",
      "bytes a second and member: idle · loss",
      "false positives: one deaf · loss",
    ],
    rival("foca", foca),
    rival("memberlist", memberlist),
    [
      `**Patina, ${members}**`,
      crash === undefined ? "" : interval(crash.allDownSec),
      crash === undefined ? "" : interval(crash.firstDownSec),
      bytes(crash?.bytesPerSec, loss === undefined ? "" : fixed(loss.bytesPerSec.median, 0)),
      [deaf, loss].map((line) => line?.falseDowns.most ?? "").join(" · "),
    ],
    paper("SWIM", slowFalsePositives.swim),
    paper("Lifeguard", slowFalsePositives.lifeguard),
    [
      `**Patina, ${paperNodes}**`,
      small === undefined ? "" : interval(small.allDownSec),
      small === undefined ? "" : interval(small.firstDownSec),
      small === undefined ? "" : fixed(small.bytesPerSec, 0),
      "some slow: [False positives](../02-false-positives/README.md)",
    ],
  ]);
}

function perRepetition(sum: number): string {
  const each = sum / slowFalsePositives.repetitions;
  return each.toLocaleString("en", { maximumFractionDigits: 0 });
}

function interval({ median, low, high }: Estimate, digits = 1): string {
  return `${fixed(median, digits)} (${fixed(low, digits)}–${fixed(high, digits)})`;
}

export function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}
