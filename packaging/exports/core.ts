/** `patina/core`: the protocol as a pure state machine, for hosts of one's own. */
export { actorId, address, nodeId } from "../../core/base/ids.ts";
export type { ActorId, Address, NodeId } from "../../core/base/ids.ts";
export type { Rng } from "../../core/base/rng.ts";
export { formatHlc, type Hlc } from "../../core/clock/hlc.ts";
export type { Value } from "../../core/crdt/value.ts";
export {
  defaultConfig,
  type Profile,
  profileConfig,
  type ReplicaConfig,
} from "../../core/node/config.ts";
export type * from "../../core/node/event.ts";
export { Replica, type ReplicaOptions } from "../../core/node/replica.ts";
export { runStore } from "../../core/node/run-store.ts";
export type * from "../../core/node/store.ts";
export { Directory } from "../../core/swim/directory.ts";
export type { Identity } from "../../core/swim/identity.ts";
