/** What others measured or derived. */

/** e / (e − 1): the expected number of protocol periods to the first detection (SWIM, section 5). */
export const swimPeriodsToDetection = 1 / (1 - Math.exp(-1));

/** A ping and an ack. */
export const swimMessagesPerPeriod = 2;

/** Median time to the first detection with 128 members, of SWIM and of Lifeguard alike (Lifeguard, section V). */
export const lifeguardFirstDetectionSec = 12.4;

/** A crash known to all, in seconds, and idle bytes a second and node, by size, in the same simulated LAN. */
export const others = {
  foca: { 100: [10.1, 107], 1000: [15, 107], 10_000: [18.6, 60] },
  memberlist: { 100: [10, 81], 1000: [14.3, 81], 10_000: [20.1, 81] },
} as const;

export const publishedSizes = [100, 1000, 10_000] as const;
