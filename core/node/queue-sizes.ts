/** Every bounded queue and buffer with its bound, for metrics and for the checker of bounds. */
import type { BroadcastStats } from "../gossip/broadcast.ts";
import { maxMissing } from "../gossip/missing.ts";
import { maxOutboxMessages } from "../gossip/outbox.ts";
import { maxNeighbours } from "../gossip/overlay.ts";
import { maxDown, maxUrgent } from "../sync/contacts.ts";
import { maxMarkerGroups, maxMarkerRanges } from "../sync/marker-pool.ts";
import { maxServing } from "../sync/serving.ts";
import type { SyncStats } from "../sync/sync.ts";

export interface QueueSize {
  readonly name: string;
  readonly size: number;
  readonly max: number;
}

export function queueSizes(broadcast: BroadcastStats, sync: SyncStats): QueueSize[] {
  return [
    { name: "recent", size: broadcast.recent, max: broadcast.recentMax },
    { name: "outbox", size: broadcast.outbox, max: maxOutboxMessages },
    { name: "missing", size: broadcast.missing, max: maxMissing },
    { name: "neighbours", size: broadcast.neighbours, max: maxNeighbours },
    { name: "pulls", size: sync.pulls, max: sync.pullsMax },
    { name: "serving", size: sync.serving, max: maxServing },
    { name: "markerGroups", size: sync.markerGroups, max: maxMarkerGroups },
    // Groups are trimmed after each answer; what they wait for comes on top.
    { name: "markerRanges", size: sync.markerRanges, max: 2 * maxMarkerRanges },
    { name: "urgent", size: sync.urgent, max: maxUrgent },
    { name: "down", size: sync.down, max: maxDown },
  ];
}
