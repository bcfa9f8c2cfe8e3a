/** What the rows add up to: one line a set-up and size. */
import { type Estimate, estimate, groupBy, mean } from "../bench/statistics.ts";
import type { Cell, CrashRow, Row, Setup, Trouble, TroubleRow } from "./measure.ts";

export interface Line {
  readonly setup: Setup;
  readonly nodes: number;
  /** Mean over all runs and members: the theory is about the mean. */
  readonly periodsToPing: number;
  readonly messagesPerPeriod: number;
  readonly bytesPerSec: number;
  readonly suspectedSec: Estimate;
  readonly firstDownSec: Estimate;
  readonly allDownSec: Estimate;
  /** From the first member that suspects to the last that has heard of it. */
  readonly newsSec: Estimate;
  /** From the first that holds it down to the last. */
  readonly spreadMs: Estimate;
  readonly falseDowns: number;
}

export interface TroubleLine {
  readonly trouble: Trouble;
  readonly nodes: number;
  readonly bytesPerSec: Estimate;
  readonly falseDowns: Estimate;
}

export interface Summary {
  readonly lines: readonly Line[];
  readonly troubles: readonly TroubleLine[];
}

export function summarise(rows: readonly (Cell & Row)[]): Summary {
  const crashes = rows.filter(hasCrash);
  const troubles = rows.filter((row) => !hasCrash(row));
  const groups = groupBy(crashes, ({ setup, nodes }) => `${setup}/${nodes}`);
  const others = groupBy(troubles, ({ trouble, nodes }) => `${trouble}/${nodes}`);
  return {
    lines: Array.from(groups.values(), lineOf),
    troubles: Array.from(others.values(), troubleOf),
  };
}

function hasCrash(row: Cell & Row): row is Cell & CrashRow {
  return row.trouble === "crash";
}

function troubleOf(rows: readonly (Cell & TroubleRow)[]): TroubleLine {
  const { trouble, nodes } = rows[0] as Cell;
  return {
    trouble,
    nodes,
    bytesPerSec: estimate(rows.map((row) => row.bytesPerSec)),
    falseDowns: estimate(rows.map((row) => row.falseDowns)),
  };
}

function lineOf(rows: readonly (Cell & CrashRow)[]): Line {
  const { setup, nodes } = rows[0] as Cell;
  return {
    setup,
    nodes,
    periodsToPing: mean(rows.map((row) => row.periodsToPing)),
    messagesPerPeriod: mean(rows.map((row) => row.messagesPerPeriod)),
    bytesPerSec: mean(rows.map((row) => row.bytesPerSec)),
    suspectedSec: estimate(rows.map((row) => row.suspectedSec)),
    firstDownSec: estimate(rows.map((row) => row.firstDownSec)),
    allDownSec: estimate(rows.map((row) => row.allDownSec)),
    newsSec: estimate(rows.map((row) => row.allSuspectSec - row.suspectedSec)),
    spreadMs: estimate(rows.map((row) => (row.allDownSec - row.firstDownSec) * 1000)),
    falseDowns: rows.reduce((sum, row) => sum + row.falseDowns, 0),
  };
}

export function patinaLines({ lines }: Summary): Line[] {
  return lines.filter(({ setup }) => setup === "patina").toSorted((a, b) => a.nodes - b.nodes);
}

export function lineFor({ lines }: Summary, setup: Setup, nodes: number): Line | undefined {
  return lines.find((line) => line.setup === setup && line.nodes === nodes);
}

export function troubleFor({ troubles }: Summary, trouble: Trouble): TroubleLine | undefined {
  return troubles.find((line) => line.trouble === trouble);
}
