/** `GET /v1/status` and `GET /v1/members`: what the node knows of itself and of the others. */
import type { MemberInfo, NodeStatus } from "../agent/node-service.ts";

/** As it is answered: names as everywhere in this API. */
export function statusBody(status: NodeStatus): object {
  const { db, schema, lag } = status;
  return {
    version: status.version,
    name: status.name,
    actor_id: status.actorId,
    node_id: status.nodeId,
    cluster_id: status.clusterId,
    region: status.region,
    addr: status.addr,
    uptime_seconds: status.uptimeSeconds,
    ready: status.unready === null,
    unready: status.unready,
    store_failing: status.storeFailing,
    schema,
    members: status.members,
    lag: lag.map(({ actorId, p50, p99, versionsBehind }) => {
      return { actor_id: actorId, p50, p99, versions_behind: versionsBehind };
    }),
    p99_lag: status.p99Lag,
    gaps: status.gaps,
    heads: status.heads,
    queues: status.queues,
    queue_size: status.queueSize,
    db: {
      bytes: db.bytes,
      wal_bytes: db.walBytes,
      rows: db.rows,
      conflicts: db.conflicts,
      quarantined: db.quarantined,
      state_hash: db.stateHash,
    },
    counters: status.counters,
  };
}

export function memberBody(member: MemberInfo): object {
  const { name, actorId, addr, state, incarnation, region, rttMs } = member;
  return { name, actor_id: actorId, addr, state, incarnation, region, rtt_ms: rttMs };
}
