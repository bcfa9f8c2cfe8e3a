/** One cluster of memberships: quiet for a while, and then one member crashes; or one in trouble, and nobody does. */
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { rounded } from "../bench/statistics.ts";
import { deaf, lossy } from "../../sim/swim-lab/figures.ts";
import { lanLatencyMs, SwimLab } from "../../sim/swim-lab/lab.ts";

/**
 * `patina`: the LAN profile. `swim`, `lifeguard`: the same code with the numbers of the Lifeguard
 * paper's evaluation (α = 5; β = 1 and 6), without and with Lifeguard's parts.
 */
export type Setup = "patina" | "swim" | "lifeguard";

/**
 * `crash`: one member crashes. `deaf`: for two minutes one sends but receives nothing. `loss`: for a
 * minute a fifth of the datagrams is lost.
 */
export type Trouble = "crash" | "deaf" | "loss";

export type Cell = Readonly<{ setup: Setup; trouble: Trouble; nodes: number; seed: string }>;

export type TroubleRow = {
  readonly bytesPerSec: number;
  /** Deaths of running members told by members that can hear. */
  readonly falseDowns: number;
};

export type CrashRow = TroubleRow & {
  /** Whole periods from a random moment to the next ping of a given member, averaged over members. */
  readonly periodsToPing: number;
  readonly messagesPerPeriod: number;
  /** From the crash, in seconds: first suspected, suspected by all, first held down, by all. */
  readonly suspectedSec: number;
  readonly allSuspectSec: number;
  readonly firstDownSec: number;
  readonly allDownSec: number;
};

export type Row = CrashRow | TroubleRow;

const configs: Readonly<Record<Setup, SwimConfig>> = {
  patina: lanProfile,
  swim: {
    ...lanProfile,
    suspicionFactor: 5,
    suspicionMaxFactor: 1,
    suspicionConfirmations: 0,
    localHealthMax: 0,
  },
  lifeguard: { ...lanProfile, suspicionFactor: 5, suspicionMaxFactor: 6 },
};

const warmUpMs = 3000;
/** Long enough that hardly a member goes without a ping: e^-10 of them. */
const quietMs = 10_000;
export const limitMs = 120_000;
const lossShare = 0.2;

type Cluster = Readonly<{ lab: SwimLab; nodes: number; periodMs: number }>;

export function measure({ setup, trouble, nodes, seed }: Cell): Row {
  const config = configs[setup];
  if (trouble !== "crash") {
    const o = { nodes, seed, config };
    const { bytesPerSec, falseDowns } = trouble === "deaf" ? deaf(o) : lossy(o, lossShare);
    return { bytesPerSec: rounded(bytesPerSec, 2), falseDowns };
  }
  const lab = new SwimLab({ seed, nodes, config, latencyMs: lanLatencyMs, watch: false });
  const cluster = { lab, nodes, periodMs: config.periodMs };
  lab.start();
  lab.runUntil(warmUpMs);
  const quiet = watchQuiet(cluster);
  return { ...quiet, ...watchCrash(cluster) };
}

function watchQuiet({ lab, nodes, periodMs }: Cluster) {
  const fromMs = lab.nowMs;
  const firstPingMs = new Float64Array(nodes).fill(Infinity);
  lab.traffic.reset();
  lab.onSend = ({ kind, to }) => {
    if (kind === "ping" && firstPingMs[to] === Infinity) firstPingMs[to] = lab.nowMs - fromMs;
  };
  lab.runUntil(fromMs + quietMs);
  lab.onSend = null;
  const { messages, bytes } = lab.traffic;
  let periods = 0;
  for (const ms of firstPingMs) periods += Math.ceil(Math.min(ms, quietMs) / periodMs);
  return {
    periodsToPing: rounded(periods / nodes, 4),
    messagesPerPeriod: rounded((messages / nodes / quietMs) * periodMs, 4),
    bytesPerSec: rounded((bytes / nodes / quietMs) * 1000, 2),
  };
}

function watchCrash({ lab, nodes, periodMs }: Cluster) {
  const rng = lab.rng.fork("crash");
  const dead = rng.below(nodes);
  const crashMs = lab.nowMs + rng.unit() * periodMs;
  let suspectedMs = -1;
  let allSuspectMs = -1;
  let firstDownMs = -1;
  let allDownMs = -1;
  let suspecting = 0;
  let knowing = 0;
  let falseDowns = 0;
  lab.onNotice = (_node, notice, nowMs) => {
    if (notice.type !== "member") return;
    const { state } = notice;
    if (lab.indexOf(notice.about) !== dead) {
      if (state === "down") falseDowns++;
      return;
    }
    if (state === "suspect") {
      if (suspectedMs < 0) suspectedMs = nowMs;
      if (++suspecting === nodes - 1) allSuspectMs = nowMs;
    }
    if (state !== "down") return;
    if (firstDownMs < 0) firstDownMs = nowMs;
    if (++knowing === nodes - 1) allDownMs = nowMs;
  };
  lab.runUntil(crashMs);
  lab.crash(dead);
  lab.runUntilTrue(() => allDownMs >= 0, crashMs + limitMs, 250);
  // What did not come about counts as the time for which it was waited.
  const since = (ms: number): number => rounded(ms < 0 ? limitMs / 1000 : (ms - crashMs) / 1000, 4);
  return {
    suspectedSec: since(suspectedMs),
    allSuspectSec: since(allSuspectMs),
    firstDownSec: since(firstDownMs),
    allDownSec: since(allDownMs),
    falseDowns,
  };
}
