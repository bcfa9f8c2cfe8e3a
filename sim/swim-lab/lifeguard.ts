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

const nodes = 128;
const warmUpMs = 5000;
const troubleMs = 120_000;

const memberCounts = [1, 4, 8, 12, 16, 20, 24, 28, 32];
const blockedTimesMs = [128, 512, 2048, 8192, 16_384, 32_768];
const openTimesMs = [1, 4, 16, 64, 256, 1024, 4096, 16_384];

/** Every `step`-th point of the paper's grid; 1 for all 432. */
export function lifeguardGrid(step: number): Anomaly[] {
  const all = memberCounts.flatMap((members) =>
    blockedTimesMs.flatMap((blockedMs) =>
      openTimesMs.map((openMs) => ({ members, blockedMs, openMs })),
    ),
  );
  return all.filter((_, index) => index % step === 0);
}

/** Lifeguard's parts left out: fixed suspicion timeouts, no local health. What else differs from plain SWIM stays. */
export const withoutLifeguard: SwimConfig = {
  ...lanProfile,
  suspicionMaxFactor: 1,
  suspicionConfirmations: 0,
  localHealthMax: 0,
};

export function falsePositives(
  anomaly: Anomaly,
  seed: string,
  config?: SwimConfig,
  stalls = false,
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
    for (let node = 0; node < members; node++) lab.block(node, stalls);
    lab.runUntil(lab.nowMs + blockedMs);
    for (let node = 0; node < members; node++) lab.unblock(node);
    lab.runUntil(lab.nowMs + openMs);
  }
  return { byHealthy, byAny };
}
