/** How the replicas of a scenario are tuned. */
import { profileConfig, type ReplicaConfig } from "../../core/node/config.ts";
import type { Scenario } from "../scenario/scenario.ts";

export type ReplicaProfile = Pick<Scenario, "profile" | "broadcast">;

export function replicaConfig({ profile, broadcast }: ReplicaProfile): ReplicaConfig {
  const config = profileConfig(profile);
  return { ...config, gossip: { ...config.gossip, mode: broadcast } };
}
