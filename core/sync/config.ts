/** Every number that tunes anti-entropy, and its profiles. Nodes with different numbers understand one another. */

export interface SyncConfig {
  /** While versions come in, a digest goes to a random member this often… */
  readonly digestIntervalMs: number;
  /** …and as nothing changes the interval grows by half each time, up to this. */
  readonly digestIntervalMaxMs: number;
  /** Digests to members believed to be down, by the whole cluster together: finds a healed partition. */
  readonly downDigestsPerSec: number;
  /** What a periodic comparison finds missing may be on its way by broadcast: it has this long to come. */
  readonly graceMs: number;
  /** More than this is no broadcast on its way: it is asked for at once. */
  readonly graceVersions: number;
  /** A gap left by versions that overtook others is asked for after this long. */
  readonly gapDelayMs: number;
  /** A peer that lets this much time pass without a byte of an answer is given up. */
  readonly answerTimeoutMs: number;
  /** Peers pulled from at the same time. */
  readonly maxPulls: number;
  /** Requests to one peer at the same time: two hide one round trip. */
  readonly requestsPerPeer: number;
  /** Versions in one request at first; it grows while answers are small. */
  readonly sliceVersions: number;
  readonly sliceVersionsMax: number;
  /** Payload bytes that one request may bring. Times `maxPulls` and `requestsPerPeer` it bounds what arrives unasked-for. */
  readonly windowBytes: number;
  /** Payload in one message of an answer: small enough that a stream is not blocked for long. */
  readonly frameBytes: number;
  /** Members told at once when a pull brought news. */
  readonly hintFanout: number;
  /** At least this long between two rounds of hints. */
  readonly hintIntervalMs: number;
  /** A failing store is asked again after this long, doubled up to the maximum. */
  readonly storeRetryMs: number;
  readonly storeRetryMaxMs: number;
  /** Markers that cannot be released for this long are dropped and asked for again. */
  readonly markerTimeoutMs: number;
  /** At least this long between two repairs that this node begins; doubled while they mend nothing. */
  readonly repairIntervalMs: number;
  readonly repairIntervalMaxMs: number;
}

export const lanSync: SyncConfig = {
  digestIntervalMs: 1000,
  digestIntervalMaxMs: 15_000,
  downDigestsPerSec: 4,
  graceMs: 250,
  graceVersions: 64,
  gapDelayMs: 250,
  answerTimeoutMs: 5000,
  maxPulls: 3,
  requestsPerPeer: 2,
  sliceVersions: 256,
  sliceVersionsMax: 65_536,
  windowBytes: 512 * 1024,
  frameBytes: 64 * 1024,
  hintFanout: 2,
  hintIntervalMs: 50,
  storeRetryMs: 100,
  storeRetryMaxMs: 10_000,
  markerTimeoutMs: 30_000,
  repairIntervalMs: 1000,
  repairIntervalMaxMs: 60_000,
};

/** Round trips up to some 300 ms. */
export const wanSync: SyncConfig = {
  ...lanSync,
  digestIntervalMs: 2000,
  graceMs: 1000,
  gapDelayMs: 1000,
  answerTimeoutMs: 15_000,
  hintIntervalMs: 200,
};

export const syncProfiles = { lan: lanSync, wan: wanSync, fast: lanSync } as const;
