/**
 * No version number is used for two transactions, neither by its author nor under way: what a node
 * stores under a number is what was committed under it, byte for byte.
 */
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { SimNode } from "../host/node.ts";
import type { Check, CheckContext } from "./check.ts";

export class VersionReuse implements Check {
  readonly #context: CheckContext;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  /** Called after the history was told: a number used twice is the earlier version's there. */
  committed(node: SimNode, chunks: readonly Chunk[]): void {
    const first = chunks[0] as Chunk;
    const known = this.#context.history.get(first.actor, first.version);
    if (known === undefined || known.chunks === chunks) return;
    this.#context.report(
      "version-reuse",
      node.n,
      `version ${first.version} of ${first.actor.slice(0, 8)} is used again; it was committed at ${known.atUs / 1000} ms already`,
    );
  }

  stored(node: SimNode, request: StoreRequest, response: StoreResponse): void {
    if (request.type !== "receive" || response.type !== "receive") return;
    for (const chunk of request.chunks) {
      const known = this.#context.history.get(chunk.actor, chunk.version);
      const same = known !== undefined && isSame(known.chunks[chunk.index], chunk);
      // A hostile peer may invent authors of its own; it must not speak for others.
      if (same || (known === undefined && this.#context.hostile)) continue;
      const outcome = response.versions.find(
        (v) => v.actor === chunk.actor && v.version === chunk.version,
      );
      if (outcome?.type === "rejected" || outcome?.type === "known") continue;
      this.#context.report(
        "version-reuse",
        node.n,
        `chunk ${chunk.index} of version ${chunk.version} of ${chunk.actor.slice(0, 8)} is not what was committed`,
      );
    }
  }
}

function isSame(a: Chunk | undefined, b: Chunk): boolean {
  if (a === undefined || a.count !== b.count || a.payload.length !== b.payload.length) return false;
  if (a.hlc.ms !== b.hlc.ms || a.hlc.counter !== b.hlc.counter) return false;
  for (let i = 0; i < a.payload.length; i++) if (a.payload[i] !== b.payload[i]) return false;
  return true;
}
