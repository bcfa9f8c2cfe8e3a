/** What is run: which parts are on, at which points of the Lifeguard paper's grid, how often. */
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { type Anomaly, type Io, lifeguardGrid } from "../../sim/swim-lab/lifeguard.ts";
import { seedOf, type Size } from "../bench/experiment.ts";

export type Cell = Readonly<{
  io: Io;
  parts: string;
  members: number;
  blockedMs: number;
  openMs: number;
  seed: string;
}>;

/** The numbers of the paper's evaluation: α = 5; β = 1 without, 6 with dynamic suspicion. */
const swim: SwimConfig = {
  ...lanProfile,
  suspicionFactor: 5,
  suspicionMaxFactor: 1,
  suspicionConfirmations: 0,
  localHealthMax: 0,
  tellAccused: false,
  weighDeaths: false,
  noticeStalls: false,
};

const { suspicionConfirmations, localHealthMax } = lanProfile;
const health = { localHealthMax };
const suspicion = { suspicionMaxFactor: 6, suspicionConfirmations };
const buddy = { tellAccused: true };

/**
 * SWIM with each selection of Lifeguard's three parts; SWIM with Patina's weighing of deaths that
 * are heard of; and Patina as it is delivered, its α of 4 included.
 */
export const configs: Readonly<Record<string, SwimConfig>> = {
  SWIM: swim,
  health: { ...swim, ...health },
  suspicion: { ...swim, ...suspicion },
  buddy: { ...swim, ...buddy },
  "suspicion + buddy": { ...swim, ...suspicion, ...buddy },
  "health + buddy": { ...swim, ...health, ...buddy },
  "health + suspicion": { ...swim, ...health, ...suspicion },
  Lifeguard: { ...swim, ...health, ...suspicion, ...buddy },
  "SWIM, deaths weighed": { ...swim, weighDeaths: true, noticeStalls: true },
  Patina: lanProfile,
};

/** Those of which the paper or others give sums, with seeds enough for a 95 % interval. */
const published = ["SWIM", "suspicion", "Lifeguard"];

/** From here on they stand still for longer than a suspicion lasts. */
const longMs = 16_384;

export function isLong({ blockedMs }: Anomaly): boolean {
  return blockedMs >= longMs;
}

const allPoints = lifeguardGrid();
const longPoints = allPoints.filter(isLong);
const shortPoints = allPoints.filter((point) => !isLong(point));
/** Deaths by the hundred thousand make these slow: every third value of two of the axes. */
const coarsePoints = longPoints.filter(
  ({ members, openMs }) => [4, 16, 32].includes(members) && [1, 64, 1024, 4096].includes(openMs),
);
const quickPoints = longPoints.filter(
  ({ members, blockedMs, openMs }) => members === 16 && blockedMs === longMs && openMs === 64,
);

export function cells(size: Size, seed: string): Cell[] {
  const all = Object.keys(configs);
  const others = all.filter((parts) => !published.includes(parts));
  if (size === "quick") {
    const few = ["SWIM", "suspicion", "Lifeguard", "Patina"];
    return [...of("stalls", few, quickPoints, seed, 1), ...of("waits", few, quickPoints, seed, 1)];
  }
  return [
    ...of("waits", all, coarsePoints, seed, 3),
    ...of("stalls", published, longPoints, seed, 6),
    ...of("stalls", others, longPoints, seed, 3),
    ...of("stallsLate", ["SWIM"], longPoints, seed, 3),
    ...of("stalls", ["SWIM"], shortPoints, seed, 1),
  ];
}

function of(
  io: Io,
  selections: readonly string[],
  points: readonly Anomaly[],
  seed: string,
  seeds: number,
): Cell[] {
  return selections.flatMap((parts) =>
    points.flatMap((point) =>
      Array.from({ length: seeds }, (_, i) => ({ io, parts, ...point, seed: seedOf(seed, i + 1) })),
    ),
  );
}
