/** What others measured or derived. */

/** e / (e − 1): the expected number of protocol periods to the first detection (SWIM, section 5). */
export const swimPeriodsToDetection = 1 / (1 - Math.exp(-1));

/** A ping and an ack. */
export const swimMessagesPerPeriod = 2;

/** Members in the Lifeguard paper's evaluation. */
export const paperNodes = 128;

/** Median time to the first detection with 128 members, of SWIM and of Lifeguard alike (Lifeguard, section V). */
export const lifeguardFirstDetectionSec = 12.4;

/** A crash known to all, in seconds, and idle bytes a second and node, by size, in the same simulated LAN. */
export const others = {
  foca: { 100: [10.1, 107], 1000: [15, 107], 10_000: [18.6, 60] },
  memberlist: { 100: [10, 81], 1000: [14.3, 81], 10_000: [20.1, 81] },
} as const;

export const publishedSizes = [100, 1000, 10_000] as const;

/** At 1,000 members in the same simulated LAN: false positives, and bytes a second and node, under trouble. */
export const troubled = {
  nodes: 1000,
  foca: { deafFalseDowns: "512", lossFalseDowns: "many", lossBytesPerSec: 22_307 },
  memberlist: { deafFalseDowns: "0", lossFalseDowns: "0", lossBytesPerSec: 257 },
} as const;

/** False positives where some of 128 members are slow, at any member and at healthy ones: sums of ten repetitions (Lifeguard, section V). */
export const slowFalsePositives = {
  repetitions: 10,
  swim: [339_002, 3326],
  lifeguard: [5193, 63],
} as const;
