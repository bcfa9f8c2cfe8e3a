/** Who may come in, told from the headers alone, before anything else of a request is looked at. */
import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "../auth/authenticator.ts";
import { isOwnName } from "../auth/listen-guard.ts";
import type { Access, ApiContext } from "./api-context.ts";
import { ApiError } from "./api-error.ts";

/** @returns who it is; null: anybody, on an open route; or why it may not. */
export function admit(
  ctx: ApiContext,
  access: Access,
  headers: IncomingHttpHeaders,
): Principal | ApiError | null {
  const { endpointName } = ctx.config;
  const asked = headers["x-corrosion-requested-endpoint-name"];
  if (asked !== undefined && endpointName !== null && asked !== endpointName) {
    return new ApiError("misdirected", `this is ${endpointName}, not ${String(asked)}`);
  }
  if (ctx.auth.open && !ctx.config.open && !isOwnName(headers.host, endpointName)) {
    return new ApiError(
      "misdirected",
      `without tokens the API answers to its address, not to ${headers.host ?? ""}`,
      {
        hint: "use 127.0.0.1 or localhost, name the host as api.endpoint_name, or give the API tokens",
      },
    );
  }
  if (access === "open") return null;
  if (ctx.stopping) return new ApiError("shutting_down", "the node is being stopped");
  const principal = ctx.auth.authenticate(headers.authorization);
  if (principal === null) {
    return new ApiError(
      "unauthorized",
      headers.authorization === undefined ? "a token is needed" : "the token is not known here",
      { hint: "send it as authorization: Bearer TOKEN; patina token create makes one" },
    );
  }
  if (principal.admin || access === "token") return principal;
  if (access === "reader" && principal.read.has("*")) return principal;
  const needed = access === "admin" ? "admin = true" : 'read = ["*"]';
  return new ApiError("forbidden", `the token ${principal.name ?? ""} may not do that`, {
    hint: `it is for tokens with ${needed}`,
  });
}
