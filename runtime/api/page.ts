/** `GET /ui/`: the visualizer, showing this node's live trace. The page itself tells nothing of the node. */
import type { FastifyInstance } from "fastify";
import { BundleError } from "../replay/bundle.ts";
import { openUi, type Ui } from "../replay/ui.ts";
import { ApiError } from "./api-error.ts";
import { schemas } from "./openapi.ts";

export async function addPage(app: FastifyInstance): Promise<void> {
  let ui: Promise<Ui> | null = null;
  const options = { config: { access: "open" as const }, schema: schemas.page };
  app.get("/", options, (_request, reply) => reply.redirect("/ui/"));
  app.get("/ui", options, (_request, reply) => reply.redirect("/ui/"));
  app.get("/ui/*", options, async (request, reply) => {
    const path = (request.params as { readonly "*": string })["*"];
    // In a clone the page is built when it is asked for the first time.
    ui ??= openUi();
    try {
      const { status, headers, body } = (await ui).answer(path, request.headers["if-none-match"]);
      if (status === 404) throw new ApiError("not_found", `there is no /ui/${path} here`);
      return reply.code(status).headers(headers).send(body);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      ui = null;
      throw new ApiError("not_found", error.message);
    }
  });
}
