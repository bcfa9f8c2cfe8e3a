/** All that tunes a replica. A profile fits a kind of network; single numbers may be changed on top. */
import { type GossipConfig, gossipProfiles } from "../gossip/config.ts";
import { type SwimConfig, swimProfiles } from "../swim/config.ts";
import { type SyncConfig, syncProfiles } from "../sync/config.ts";

export type Profile = "lan" | "wan" | "fast";

export interface ReplicaConfig {
  readonly swim: SwimConfig;
  readonly gossip: GossipConfig;
  readonly sync: SyncConfig;
}

/** `lan`: round trips of milliseconds. `wan`: up to some 300 ms. `fast`: a LAN that finds crashes sooner. */
export function profileConfig(profile: Profile): ReplicaConfig {
  return {
    swim: swimProfiles[profile],
    gossip: gossipProfiles[profile],
    sync: syncProfiles[profile],
  };
}

export const defaultConfig: ReplicaConfig = profileConfig("lan");
