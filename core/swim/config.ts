/**
 * Every number that tunes membership, and the three profiles. A cluster runs one profile: members
 * with different periods would judge one another by different clocks.
 */

export interface SwimConfig {
  readonly profile: "lan" | "wan" | "fast";
  /** One ping a member and period (SWIM, section 3). */
  readonly periodMs: number;
  /** No answer for this long: ask others to ping, and ping over the reliable path. */
  readonly probeTimeoutMs: number;
  /** A helper that has no answer for this long sends a nack; timeout + nack must stay below the period. */
  readonly nackTimeoutMs: number;
  /** Helpers asked per failed direct ping: SWIM's k. */
  readonly indirectProbes: number;
  /** Rumors are sent at most this often… */
  readonly gossipIntervalMs: number;
  /** …to this many members at a time… */
  readonly gossipFanout: number;
  /** …but after a silence the first goes to so many at once: what was saved up meanwhile. */
  readonly gossipBurst: number;
  /** λ: a rumor is sent at most λ·⌈log10(n+1)⌉ times by each member. */
  readonly retransmitFactor: number;
  /** min = this · max(1, log10 n) · period. */
  readonly suspicionFactor: number;
  /** max = this · min: how long a suspicion that nobody confirms may wait for its refutation. */
  readonly suspicionMaxFactor: number;
  /** Independent confirmations that bring the timeout down to min: Lifeguard's k. */
  readonly suspicionConfirmations: number;
  /** Highest local health score; timeouts are multiplied by score + 1. */
  readonly localHealthMax: number;
  /** Lifeguard's buddy system: who is accused learns it with the next message to it. Off only to measure its worth. */
  readonly tellAccused: boolean;
  /** A death that is heard of is weighed before it is believed. Off, as in SWIM, only to measure its worth. */
  readonly weighDeaths: boolean;
  /** Late timers show that this process was frozen. Off, as in SWIM, only to measure its worth. */
  readonly noticeStalls: boolean;
  /** Longest datagram that is known to pass. */
  readonly datagramBytes: number;
  /** At least this long between two exchanges of group digests that a member begins. */
  readonly exchangeIntervalMs: number;
  /** A list that changed this recently is expected to differ: rumors are on their way. */
  readonly settleMs: number;
  /** Down members are pinged this often by the whole cluster together. */
  readonly reconnectsPerSec: number;
  readonly downRetentionMs: number;
  readonly leftRetentionMs: number;
  /** Past it the longest gone are forgotten first; then newcomers are refused. */
  readonly maxMembers: number;
  /** Seeds that do not answer are asked again after this long, doubled up to `joinRetryMaxMs`. */
  readonly joinRetryMs: number;
  readonly joinRetryMaxMs: number;
  /** What one member answers to joiners per second: past it they get a sample and find the rest by digests. */
  readonly joinReplyBytesPerSec: number;
  /** How long a leaver keeps telling so. */
  readonly leaveLingerMs: number;
}

const hourMs = 3_600_000;

export const lanProfile: SwimConfig = {
  profile: "lan",
  periodMs: 1000,
  probeTimeoutMs: 500,
  nackTimeoutMs: 100,
  indirectProbes: 3,
  gossipIntervalMs: 200,
  gossipFanout: 3,
  gossipBurst: 9,
  retransmitFactor: 4,
  suspicionFactor: 4,
  suspicionMaxFactor: 6,
  suspicionConfirmations: 2,
  localHealthMax: 7,
  tellAccused: true,
  weighDeaths: true,
  noticeStalls: true,
  datagramBytes: 1200,
  exchangeIntervalMs: 500,
  settleMs: 250,
  reconnectsPerSec: 8,
  downRetentionMs: 24 * hourMs,
  leftRetentionMs: hourMs,
  maxMembers: 65_536,
  joinRetryMs: 500,
  joinRetryMaxMs: 2000,
  joinReplyBytesPerSec: 8 * 1024 * 1024,
  leaveLingerMs: 1000,
};

/** Round trips up to some 300 ms, and paths that now and then lose a second. */
export const wanProfile: SwimConfig = {
  ...lanProfile,
  profile: "wan",
  periodMs: 5000,
  probeTimeoutMs: 3000,
  nackTimeoutMs: 1200,
  gossipIntervalMs: 500,
  gossipFanout: 4,
  gossipBurst: 12,
  exchangeIntervalMs: 1000,
  settleMs: 1000,
  joinRetryMs: 2000,
  joinRetryMaxMs: 8000,
  leaveLingerMs: 2500,
};

/** Finds a crash within 5 s at 100 members, at two and a half times the idle traffic. */
export const fastProfile: SwimConfig = {
  ...lanProfile,
  profile: "fast",
  periodMs: 400,
  probeTimeoutMs: 200,
  nackTimeoutMs: 40,
  gossipIntervalMs: 100,
  exchangeIntervalMs: 250,
  settleMs: 125,
  leaveLingerMs: 500,
};

export const swimProfiles = { lan: lanProfile, wan: wanProfile, fast: fastProfile } as const;
