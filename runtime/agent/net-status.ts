/** What the network thread knows of the node's state, in one piece. */
import type { Transport } from "../net/transport.ts";
import type { StoreInfo } from "../store-process/messages.ts";
import type { StoreClient } from "../store-process/store-client.ts";
import type { NetStatus } from "./net-messages.ts";
import type { PeerLag } from "./node-service.ts";
import type { ReplicaHost } from "./replica-host.ts";

export interface StatusSources {
  readonly host: ReplicaHost | null;
  readonly store: StoreClient | null;
  readonly info: StoreInfo | null;
  readonly transport: Transport | null;
  readonly loopDelay: NetStatus["loopDelay"];
  readonly counters: Readonly<Record<string, number>>;
}

const unknown: Pick<NetStatus, "lag" | "p99Lag" | "gaps" | "heads" | "members" | "hash" | "rows"> =
  {
    lag: [],
    p99Lag: 0,
    gaps: 0,
    heads: {},
    members: { alive: 0, suspect: 0, down: 0, left: 0 },
    hash: "0000000000000000",
    rows: 0,
  };

export function netStatus(sources: StatusSources): NetStatus {
  const { host, store, info, transport, loopDelay } = sources;
  const replica = host?.replica.stats() ?? null;
  const swim = host?.replica.membership.stats();
  const inbox = replica?.queues.find(({ name }) => name === "inbox")?.size ?? 0;
  return {
    ...(host === null ? unknown : known(host)),
    queues: replica?.queues ?? [],
    queueSize: inbox + (store?.waitingRequests ?? 0),
    store: info,
    transport: transport?.stats() ?? null,
    loopDelay,
    counters: {
      ...totals(host?.counters ?? {}, ""),
      ...totals(swim?.counters ?? {}, "swim_"),
      ...totals(
        {
          broadcastFresh: replica?.broadcast.fresh ?? 0,
          broadcastDuplicates: replica?.broadcast.duplicates ?? 0,
          storeRestarts: store?.restarts ?? 0,
        },
        "",
      ),
      ...sources.counters,
      swim_health: swim?.health ?? 0,
    },
  };
}

/** What only grows, under the names that metrics have. */
export function totals(counters: object, prefix: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [`${prefix}${snake}_total`, value as number];
    }),
  );
}

function known(host: ReplicaHost): typeof unknown {
  const { membership, summary, actor: self } = host.replica;
  const { alive, suspect, down, left } = membership.stats();
  const nowMs = performance.now();
  const lag: PeerLag[] = [];
  for (const { actor, state } of membership.members()) {
    if (actor === self || state === "left") continue;
    const { p50, p99 } = host.lag.quantiles(nowMs, actor);
    lag.push({ actorId: actor, p50, p99, versionsBehind: host.behind(actor) });
  }
  const { heads, gaps } = host.books();
  return {
    lag,
    p99Lag: host.lag.p99(nowMs),
    heads,
    gaps: gaps + host.refusedVersions(),
    members: { alive, suspect, down, left },
    hash: summary.hash,
    rows: summary.rows,
  };
}
