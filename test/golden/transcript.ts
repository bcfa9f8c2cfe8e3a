/** Conversations of replicas as text, one line per message, call of the store and notice. */
import { unreachable } from "../../core/base/assert.ts";
import type { Effect, Notice, StoreRequest } from "../../core/node/event.ts";
import type { Chunk, Want } from "../../core/node/store.ts";
import { decodeMessage } from "../../core/wire/envelope.ts";
import {
  type ChunkRef,
  gossipDecoders,
  type GossipMessage,
  maxGossipBytes,
} from "../../core/wire/gossip-messages.ts";
import { hexOfHash } from "../../core/wire/wire-hash.ts";
import { maxSyncBytes, syncDecoders, type SyncMessage } from "../../core/wire/sync-messages.ts";
import { actorOf, type Cluster } from "../unit/node/cluster.ts";

type Ranges = readonly (readonly [number, number])[];

export class Transcript {
  readonly #cluster: Cluster;
  readonly #lines: string[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.watch = (node, effect) => {
      const text = this.#effect(effect);
      if (text === null) return;
      const at = cluster.nowMs.toFixed(1).padStart(8);
      this.#lines.push(`${at}  n${node.n} ${text}`);
    };
  }

  /** A line of one's own. */
  note(text: string): void {
    this.#lines.push("", `# ${text}`);
  }

  /** What every node holds now. */
  states(): void {
    for (const { n, store, replica } of this.#cluster.nodes) {
      const held = replica.ledger.holdings().map(({ actor, head, gaps, partial }) => {
        const without = gaps.length === 0 ? "" : ` without ${ranges(gaps)}`;
        const parts = partial.map((p) => ` ${p.version} in part ${ranges(p.have)}/${p.count}`);
        return `${nameOf(actor)} 1-${head}${without}${parts.join("")}`;
      });
      const { rows } = store.summary();
      this.#lines.push(`          n${n} holds ${held.join(", ") || "nothing"}; ${rows} rows`);
    }
  }

  text(): string {
    return `${this.#lines.join("\n").trim()}\n`;
  }

  #effect(effect: Effect): string | null {
    switch (effect.type) {
      case "send": {
        if (effect.plane === "swim") return null;
        const what = effect.plane === "gossip" ? gossip(effect.bytes) : sync(effect.bytes);
        const kind = effect.reliable ? "" : " (datagram)";
        return `→ ${effect.to}  ${what}${kind}, ${effect.bytes.length} bytes`;
      }
      case "store":
        return `asks its store to ${storeRequest(effect.request)}`;
      case "notify":
        return noticed(effect.notice);
      case "timer":
        return null;
      default:
        return unreachable(effect);
    }
  }
}

/** `A` to `Z` for the actors of nodes 0 to 25. */
function nameOf(actor: string): string {
  for (let n = 0; n < 26; n++) if (actorOf(n) === actor) return String.fromCharCode(65 + n);
  return actor.slice(0, 6);
}

function ranges(list: Ranges): string {
  return list.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(" ");
}

function ref({ actor, version, index, count }: ChunkRef): string {
  return count === 1
    ? `${nameOf(actor)}${version}`
    : `${nameOf(actor)}${version}[${index}/${count}]`;
}

function refs(list: readonly ChunkRef[] | readonly Chunk[]): string {
  return list.map(ref).join(" ") || "nothing";
}

function wants(list: readonly Want[]): string {
  const all = list.map(({ actor, from, to, chunks }) => {
    const parts = chunks === undefined ? "" : `[${ranges(chunks)}]`;
    return `${nameOf(actor)}${ranges([[from, to]])}${parts}`;
  });
  return all.join(" ") || "nothing";
}

function gossip(bytes: Uint8Array): string {
  const decoded = decodeMessage<GossipMessage>(bytes, gossipDecoders, maxGossipBytes);
  if (decoded.type !== "message") return decoded.type;
  const { message } = decoded;
  switch (message.type) {
    case "push":
      return `push ${ref(message.chunk)}, hop ${message.hops}`;
    case "ihave":
      return `ihave ${message.have.map((have) => `${ref(have)} (${have.ageMs} ms)`).join(" ")}`;
    case "graft":
      return `graft ${refs(message.refs)}`;
    case "prune":
      return "prune";
    default:
      return unreachable(message);
  }
}

function sync(bytes: Uint8Array): string {
  const decoded = decodeMessage<SyncMessage>(bytes, syncDecoders, maxSyncBytes);
  if (decoded.type !== "message") return decoded.type;
  const { message } = decoded;
  switch (message.type) {
    case "digest": {
      const as = message.reply ? " in reply" : message.news ? " with news" : "";
      return `digest${as}: holdings ${hexOfHash(message.holdings)}`;
    }
    case "ask":
      return `ask: holdings ${hexOfHash(message.holdings)} in ${message.buckets.length / 2} buckets`;
    case "tell": {
      const held = message.entries.map(({ actor, held: whole, partial }) => {
        const parts = partial.map((p) => ` ${p.version}[${ranges(p.have)}/${p.count}]`);
        return `${nameOf(actor)} ${ranges(whole)}${parts.join("")}`;
      });
      return `tell: ${held.join(", ") || "nothing"}${message.last ? "" : " …"}`;
    }
    case "request":
      return `request: ${wants(message.wants)}`;
    case "chunks":
      return `chunks: ${refs(message.chunks)}`;
    case "done": {
      const gone = wants(message.overwritten);
      return `done${message.failed ? ", failed" : ""}; overwritten: ${gone}; rest: ${wants(message.rest)}`;
    }
    case "tableDigests":
      return `table digests: ${message.digests.map(([table, hash]) => `${table} ${hash}`).join(" ")}`;
    case "tablesDiffer":
      return `tables that differ: ${message.comparable ? message.tables.join(" ") : "not comparable"}`;
    case "rangeDigests":
      return `range digests of ${message.table}: rows ${message.ranges.map(({ rows }) => rows).join(" ")}`;
    case "rangesDiffer":
      return `ranges that differ: ${message.comparable ? message.ranges.join(" ") : "not comparable"}`;
    case "rows":
      return `${message.answer ? "rows in answer" : "rows"} of ${message.table}: ${message.rows.length}`;
    default:
      return unreachable(message);
  }
}

function storeRequest(request: StoreRequest): string {
  switch (request.type) {
    case "receive": {
      const gone = request.overwritten.length === 0 ? "" : `, mark ${wants(request.overwritten)}`;
      return `receive ${refs(request.chunks)}${gone} via ${request.via}`;
    }
    case "serve":
      return `serve ${wants(request.wants)} in ${request.maxBytes} bytes`;
    case "tableDigests":
      return "digest its tables";
    case "rangeDigests":
      return `digest ${request.table} in ${request.parts} parts`;
    case "readRows":
      return `read rows of ${request.table}`;
    case "mergeRows":
      return `merge ${request.rows.length} rows`;
    default:
      return unreachable(request);
  }
}

function noticed(notice: Notice): string | null {
  switch (notice.type) {
    case "member":
    case "forgotten":
    case "identityConflict":
    case "renewed":
    case "left":
      return null;
    case "need":
      return `needs ${wants([notice])}`;
    case "synced":
      return `synced ${notice.versions} versions from ${notice.peer}`;
    case "divergence":
      return `differs from ${notice.peer} in table ${notice.table}`;
    case "repaired":
      return `repaired ${notice.rows} rows of ${notice.table} from ${notice.peer}`;
    case "rejected":
      return `rejected a message from ${notice.from}: ${notice.why}`;
    case "unknown":
      return `met an unknown ${notice.what} from ${notice.from}`;
    case "overflow":
      return `overflow of ${notice.queue}: ${notice.count}`;
    default:
      return unreachable(notice);
  }
}
