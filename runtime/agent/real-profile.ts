/** The protocol's settings for real machines: a profile, and what the simulator does not show of them. */
import { profileConfig, type ReplicaConfig } from "../../core/node/config.ts";
import type { NetOptions } from "./net-messages.ts";

/**
 * An announcement costs a packet and its acknowledgement on real machines, and there are more of them
 * than of pushes where they do not wait for company. A branch of the tree that breaks is found later by as much.
 */
const announceDelayMs = 500;

/**
 * Where programs wait for a core, one link or another looks slow by some turns of the scheduler. The
 * tree is changed for what is more than that: each change costs duplicates until it has settled.
 */
const noticeableMs = 50;

/** Links to those whose round trip is the shortest gain less than that, and each has to be announced to. */
const nearLinks = 0;

export function realProfile({
  profile,
  broadcast,
}: Pick<NetOptions["gossip"], "profile" | "broadcast">): ReplicaConfig {
  const config = profileConfig(profile);
  const ihaveDelayMs = Math.max(config.gossip.ihaveDelayMs, announceDelayMs);
  const shortcutMs = Math.max(config.gossip.shortcutMs, noticeableMs);
  const gossip = { ...config.gossip, mode: broadcast, ihaveDelayMs, shortcutMs, nearLinks };
  return { ...config, gossip };
}
