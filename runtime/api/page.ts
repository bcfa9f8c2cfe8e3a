/** `GET /ui/`: the visualizer, showing this node's live trace. The page itself tells nothing of the node. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  type Assets,
  BundleError,
  contentSecurityPolicy,
  ensureBundle,
  readAssets,
} from "../replay/bundle.ts";
import { ApiError } from "./api-error.ts";
import { schemas } from "./openapi.ts";

const live = "/v1/trace";

export async function addPage(app: FastifyInstance): Promise<void> {
  let assets: Promise<Assets> | null = null;
  const options = { config: { access: "open" as const }, schema: schemas.page };
  app.get("/", options, (_request, reply) => reply.redirect("/ui/"));
  app.get("/ui", options, (_request, reply) => reply.redirect("/ui/"));
  app.get("/ui/*", options, async (request, reply) => {
    // In a clone the page is built when it is asked for the first time.
    assets ??= ensureBundle().then(() => readAssets(live));
    try {
      return sendAsset(request, reply, await assets);
    } catch (error) {
      assets = null;
      if (error instanceof BundleError) throw new ApiError("not_found", error.message);
      throw error;
    }
  });
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, assets: Assets): FastifyReply {
  const name = (request.params as { readonly "*": string })["*"];
  const asset = assets.get(name);
  if (asset === undefined) throw new ApiError("not_found", `there is no /ui/${name} here`);
  reply.headers({
    "content-security-policy": contentSecurityPolicy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    etag: asset.etag,
    "cache-control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
  });
  if (request.headers["if-none-match"] === asset.etag) return reply.code(304).send();
  return reply.header("content-type", asset.contentType).send(asset.body);
}
