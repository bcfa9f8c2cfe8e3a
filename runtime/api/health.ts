/** `/v1/health`, `/livez`, `/readyz`: is the node well, does it live, does it take requests. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "./api-context.ts";
import { badParameter, numberOf, queryOf } from "./request-options.ts";
import { realText } from "./value-text.ts";

/**
 * Unwell is a node that is past a bound that the caller names, or that cannot store what is written:
 * its figures are as if nothing were sent. Otherwise it is well as long as it answers. A node without peers, or to which nothing was written, has no gaps, no lag and no queue.
 */
export async function health(
  ctx: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const query = queryOf(request);
  const maxGaps = numberOf(query, "gaps");
  const maxLag = numberOf(query, "p99_lag");
  const maxQueue = numberOf(query, "max_queue");
  const failure = numberOf(query, "failure_status") ?? 503;
  if (!Number.isInteger(failure) || failure < 200 || failure > 599) {
    throw badParameter("failure_status", "an HTTP status from 200 to 599");
  }
  const { gaps, members, p99Lag, queueSize, storeFailing } = await ctx.service.status();
  const unwell =
    storeFailing !== null ||
    (maxGaps !== null && gaps > maxGaps) ||
    (maxLag !== null && p99Lag > maxLag) ||
    (maxQueue !== null && queueSize > maxQueue);
  const alive = members.alive + members.suspect;
  const why = storeFailing === null ? "" : `,"store_failing":${JSON.stringify(storeFailing)}`;
  return reply
    .code(unwell ? failure : 200)
    .header("content-type", "application/json")
    .send(
      `{"response":{"gaps":${gaps},"members":${alive},"p99_lag":${realText(p99Lag)},"queue_size":${queueSize}${why}}}`,
    );
}

/** The process answers. */
export function livez(reply: FastifyReply): unknown {
  return reply.send({ live: true });
}

/** Requests make sense now: the database is open, takes what is written, and the node is not being stopped. */
export function readyz(ctx: ApiContext, reply: FastifyReply): unknown {
  const why = ctx.stopping ? "the node is being stopped" : ctx.service.unready;
  if (why !== null) return reply.code(503).send({ ready: false, why });
  return reply.send({ ready: true });
}
