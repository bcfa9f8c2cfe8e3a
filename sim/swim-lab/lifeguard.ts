/**
 * The experiment of the Lifeguard paper (Dadgar, Phillips, Currey, DSN 2018, section V): of 128
 * members some are slow now and then, their network input and output standing still for a while,
 * all at once, again and again. Nobody crashes, so every death told is a false one.
 */
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { SwimLab } from "./lab.ts";

export interface Anomaly {
  /** How many members are slow. */
  readonly members: number;
  /** How long their network stands still, and how long it runs in between, ms. */
  readonly blockedMs: number;
  readonly openMs: number;
}

export interface FalsePositives {
  /** Deaths of healthy members told by healthy ones, and by any. */
  readonly byHealthy: number;
  readonly byAny: number;
}

/**
 * What stands still with the network: `waits`, the messages of a program that runs on; `stalls`, also
 * each activity that sends, as the threads of a program do that write to a network, and on waking
 * what lies in the socket is handled first; `stallsLate`, the same, but the late threads act first.
 */
export type Io = "waits" | "stalls" | "stallsLate";

const nodes = 128;
const warmUpMs = 5000;
const troubleMs = 120_000;

const memberCounts = [1, 4, 8, 12, 16, 20, 24, 28, 32];
const blockedTimesMs = [128, 512, 2048, 8192, 16_384, 32_768];
const openTimesMs = [1, 4, 16, 64, 256, 1024, 4096, 16_384];

/** The 432 points of the paper's grid. */
export function lifeguardGrid(): Anomaly[] {
  return memberCounts.flatMap((members) =>
    blockedTimesMs.flatMap((blockedMs) =>
      openTimesMs.map((openMs) => ({ members, blockedMs, openMs })),
    ),
  );
}

export function falsePositives(
  anomaly: Anomaly,
  seed: string,
  config?: SwimConfig,
  io: Io = "waits",
): FalsePositives {
  const { members, blockedMs, openMs } = anomaly;
  const name = `${seed}/${members}/${blockedMs}/${openMs}`;
  const lab = new SwimLab({ seed: name, nodes, watch: false, config: config ?? lanProfile });
  let byHealthy = 0;
  let byAny = 0;
  lab.onNotice = (node, notice) => {
    if (notice.type !== "member" || notice.state !== "down") return;
    if (lab.indexOf(notice.about) < members) return;
    byAny++;
    if (node >= members) byHealthy++;
  };
  lab.start();
  lab.runUntil(warmUpMs);
  const untilMs = warmUpMs + troubleMs;
  while (lab.nowMs < untilMs) {
    for (let node = 0; node < members; node++) lab.block(node, io !== "waits");
    lab.runUntil(lab.nowMs + blockedMs);
    for (let node = 0; node < members; node++) lab.unblock(node, io === "stallsLate");
    lab.runUntil(lab.nowMs + openMs);
  }
  return { byHealthy, byAny };
}
