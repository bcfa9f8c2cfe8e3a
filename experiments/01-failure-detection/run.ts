/** How soon a crash is noticed, how soon all know, and what watching costs. */
import { experiment, type Claim, type Size, withSeeds } from "../bench/experiment.ts";
import { type Cell, limitMs, measure, type Row, type Setup } from "./measure.ts";
import { plot } from "./plot.ts";
import {
  lifeguardFirstDetectionSec,
  others,
  paperNodes,
  publishedSizes,
  swimMessagesPerPeriod,
  swimPeriodsToDetection,
  troubled,
} from "./published.ts";
import { type Line, lineFor, patinaLines, summarise, type Summary, troubleFor } from "./summary.ts";
import { fixed, tables } from "./tables.ts";

/** Seeds by size: small clusters are cheap, and their times differ more from run to run. */
const fullSeeds: Readonly<Record<number, number>> = {
  16: 100,
  32: 100,
  64: 100,
  100: 100,
  128: 100,
  256: 60,
  512: 40,
  1000: 30,
  2000: 15,
  4000: 8,
  10_000: 4,
};
const quickSeeds: Readonly<Record<number, number>> = { 16: 12, 64: 8, 128: 8, 256: 3 };
const troubleSeeds = 6;

function cells(size: Size, seed: string): Cell[] {
  const seeds = size === "full" ? fullSeeds : quickSeeds;
  const sizes = Object.keys(seeds)
    .map(Number)
    .toSorted((a, b) => b - a);
  const crash = (setup: Setup, nodes: number) => ({ setup, trouble: "crash", nodes }) as const;
  const parameters = [
    ...sizes.map((nodes) => crash("patina", nodes)),
    crash("swim", paperNodes),
    crash("lifeguard", paperNodes),
  ];
  const troubles = (["deaf", "loss"] as const).map(
    (trouble) => ({ setup: "patina", trouble, nodes: troubled.nodes }) as const,
  );
  return [
    ...withSeeds(parameters, seed, ({ nodes }) => seeds[nodes] as number),
    ...(size === "full" ? withSeeds(troubles, seed, () => troubleSeeds) : []),
  ];
}

/** Within a tenth: "reproduced". */
function near(measured: number, published: number, by = 0.1): boolean {
  return Math.abs(measured / published - 1) <= by;
}

function claims(summary: Summary, size: Size): Claim[] {
  const lines = patinaLines(summary);
  const messages = lines.map((line) => line.messagesPerPeriod);
  const falseDowns = summary.lines.reduce((sum, line) => sum + line.falseDowns, 0);
  const always: Claim[] = [
    {
      text: `Members send ${fixed(Math.min(...messages), 2)} to ${fixed(Math.max(...messages), 2)} messages a period, whatever the size (SWIM: 2).`,
      holds: messages.every((each) => near(each, swimMessagesPerPeriod)),
    },
    {
      text: `Every crash became known to all, and ${falseDowns} running members were declared down meanwhile.`,
      holds:
        falseDowns === 0 && summary.lines.every((line) => line.allDownSec.most < limitMs / 1000),
    },
  ];
  return size === "quick"
    ? always
    : [...always, ...theory(lines), ...paper(summary), ...beside(summary), underTrouble(summary)];
}

function theory(lines: readonly Line[]): Claim[] {
  const periods = lines.map((line) => line.periodsToPing);
  const news = (nodes: number) => lines.find((line) => line.nodes === nodes)?.newsSec.median ?? NaN;
  const growth = news(10_000) / news(100);
  return [
    {
      text: `A member waits ${fixed(Math.min(...periods), 2)} to ${fixed(Math.max(...periods), 2)} periods for its next ping, within 10 % of SWIM's e/(e−1) = ${fixed(swimPeriodsToDetection, 2)} at every size.`,
      holds: periods.every((each) => near(each, swimPeriodsToDetection)),
    },
    {
      text: `News takes ${fixed(growth, 1)} times as long with 100 times the members (from 100 to 10,000): it grows with the logarithm (2 times), not with the size.`,
      holds: growth < 4,
    },
    {
      text: `All tell the death within ${fixed(Math.max(...lines.map((line) => line.spreadMs.median)), 0)} ms of one another (median of the worst size; ${fixed(Math.max(...lines.map((line) => line.spreadMs.most)), 0)} ms in the worst run): all wait out the same suspicion, each by itself.`,
      holds: lines.every((line) => line.spreadMs.median < 1000),
    },
  ];
}

function paper(summary: Summary): Claim[] {
  return (["swim", "lifeguard"] as const).map((setup) => {
    const median = lineFor(summary, setup, paperNodes)?.firstDownSec.median ?? NaN;
    const name = setup === "swim" ? "SWIM's fixed timeouts" : "Lifeguard's";
    return {
      text: `With ${name} at the paper's α = 5, 128 members first detect a crash after ${fixed(median, 1)} s (median); the paper measured ${lifeguardFirstDetectionSec} s: within 10 %.`,
      holds: near(median, lifeguardFirstDetectionSec),
    };
  });
}

function beside(summary: Summary): Claim[] {
  return publishedSizes.flatMap((nodes) => {
    const line = lineFor(summary, "patina", nodes);
    const [sec, bytes] = [line?.allDownSec.median ?? NaN, line?.bytesPerSec ?? NaN];
    const [focaSec] = others.foca[nodes];
    const [memberlistSec, memberlistBytes] = others.memberlist[nodes];
    const best = Math.min(focaSec, memberlistSec);
    return {
      text: `With ${nodes.toLocaleString("en")} members all know of a crash after ${fixed(sec, 1)} s (foca ${focaSec}, memberlist ${memberlistSec}) at ${fixed(bytes, 0)} bytes a second and member (memberlist ${memberlistBytes}).`,
      holds: sec <= best && bytes <= memberlistBytes,
    };
  });
}

function underTrouble(summary: Summary): Claim {
  const [deaf, loss] = [troubleFor(summary, "deaf"), troubleFor(summary, "loss")];
  const bytes = loss?.bytesPerSec.median ?? NaN;
  const { foca, memberlist } = troubled;
  return {
    text: `With 1,000 members of which one hears nothing for two minutes, the others tell ${deaf?.falseDowns.most} false positives in the worst run (foca ${foca.deafFalseDowns}, memberlist ${memberlist.deafFalseDowns}); with a fifth of the datagrams lost ${loss?.falseDowns.most} (foca ${foca.lossFalseDowns}, memberlist ${memberlist.lossFalseDowns}), at ${fixed(bytes, 0)} bytes a second and member (foca ${foca.lossBytesPerSec.toLocaleString("en")}, memberlist ${memberlist.lossBytesPerSec}).`,
    holds:
      deaf?.falseDowns.most === 0 &&
      loss?.falseDowns.most === 0 &&
      bytes <= memberlist.lossBytesPerSec,
  };
}

export default experiment<Cell, Row, Summary>({
  name: "01-failure-detection",
  title: "Failure detection",
  question:
    "How soon is a crash noticed, how soon does everybody know, and what does watching cost?",
  measured: [],
  cells,
  // A second of a cluster takes as long whatever happens in it; a crash takes some thirty of them.
  weight: ({ nodes, trouble }) => nodes * (trouble === "crash" ? 1 : 5),
  runCell: measure,
  summarise,
  claims,
  plot,
  values: tables,
});
