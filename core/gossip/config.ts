/** Every number that tunes the broadcast, and its profiles. */

export interface GossipConfig {
  /** `flood`: push to some and again to some more. `tree`: Plumtree. Nodes of both kinds understand one another. */
  readonly mode: "flood" | "tree";
  /** Bytes of pushes and announcements that leave per second; a second's worth may leave at once. */
  readonly bytesPerSec: number;
  /** Flood: the second round of pushes comes after this long. */
  readonly repeatDelayMs: number;
  /** Flood: members pushed to in the second round. */
  readonly repeatFanout: number;
  /** Tree: rings over all members; each gives two neighbours. Their union is an expander (Law, Siu, INFOCOM 2003). */
  readonly rings: number;
  /** Tree: rings over the members of one's own region, when there are several regions. */
  readonly regionRings: number;
  /** Tree: neighbours with the shortest round trips beyond those. */
  readonly nearLinks: number;
  /** Tree: announcements to lazy neighbours wait this long for company, half more or less, so that only one end of a link announces. */
  readonly ihaveDelayMs: number;
  /** Tree: what was announced has at least this long to come; more where messages usually take more. */
  readonly graftDelayMs: number;
  /** Tree: then from the next who announced it, after this long each. */
  readonly graftRetryMs: number;
  /** Tree: a lazy link that would bring messages this much earlier takes the place of the eager one. */
  readonly shortcutMs: number;
  /** Tree: at least this long between two such changes. */
  readonly shortcutIntervalMs: number;
  /** Tree: members of every other region, at the most, to whom an author sends a copy ahead of the tree. */
  readonly expressPerRegion: number;
  /** Tree: it does so when some region is this far, as a measured round trip; 0: in any case. */
  readonly expressRttMs: number;
  /** Messages kept for those who ask again: this many, this many bytes, this long. */
  readonly recentMessages: number;
  readonly recentBytes: number;
  readonly recentMs: number;
}

export const lanGossip: GossipConfig = {
  mode: "tree",
  bytesPerSec: 64 * 1024 * 1024,
  repeatDelayMs: 100,
  repeatFanout: 2,
  rings: 3,
  regionRings: 2,
  nearLinks: 2,
  ihaveDelayMs: 100,
  graftDelayMs: 50,
  graftRetryMs: 100,
  shortcutMs: 5,
  shortcutIntervalMs: 500,
  // One alone is lost now and then, and a commit goes to many regions.
  expressPerRegion: 2,
  // Nearer regions the tree reaches soon enough.
  expressRttMs: 20,
  recentMessages: 4096,
  recentBytes: 8 * 1024 * 1024,
  recentMs: 10_000,
};

/** Round trips up to some 300 ms. */
export const wanGossip: GossipConfig = {
  ...lanGossip,
  bytesPerSec: 16 * 1024 * 1024,
  repeatDelayMs: 300,
  // Rings over one's own region give short links enough, and these do not move as round trips are learnt.
  nearLinks: 0,
  ihaveDelayMs: 200,
  // At 1 % loss most links look slow for a moment now and then: a tree that chases the fastest is
  // cut somewhere all the time, which costs more than its detours.
  shortcutMs: 1000,
  expressRttMs: 0,
  // A retransmission over the longest paths takes some 300 ms, and what waits behind it as long.
  graftDelayMs: 400,
  graftRetryMs: 300,
  recentMs: 30_000,
};

export const gossipProfiles = { lan: lanGossip, wan: wanGossip, fast: lanGossip } as const;
