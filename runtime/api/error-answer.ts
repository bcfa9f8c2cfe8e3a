/** What a route has thrown, as it is told to the client. */
import type { ApiContext } from "./api-context.ts";
import { ApiError, asApiError } from "./api-error.ts";
import { JsonShapeError, JsonSyntaxError } from "./json-text.ts";

/** What a route, or Fastify before it, has thrown. */
export function asTold(ctx: ApiContext, error: unknown): ApiError {
  if (error instanceof JsonSyntaxError) return new ApiError("bad_json", error.message);
  if (error instanceof JsonShapeError) return new ApiError("bad_shape", error.message);
  const { code, statusCode, message } = error as {
    code?: string;
    statusCode?: number;
    message?: string;
  };
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ApiError(
        "body_too_large",
        `the body is over the limit of ${ctx.config.bodyLimitBytes} bytes`,
        { hint: "send less at once, or raise api.body_limit_bytes" },
      );
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_EMPTY_TYPE":
      return new ApiError("unsupported_media_type", "the body must be JSON", {
        hint: "send it with content-type: application/json",
      });
  }
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new ApiError("bad_parameter", message ?? "the request is malformed");
  }
  const told = asApiError(error);
  if (told.code === "internal") ctx.log.error({ err: error }, "a request failed unexpectedly");
  return told;
}

/** @param httpVersion HTTP/2 has no header that closes a connection. */
export function errorHeaders(error: ApiError, httpVersion: number): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.code === "unauthorized") headers["www-authenticate"] = "Bearer";
  if (error.status === 503) headers["retry-after"] = "1";
  if (error.code === "shutting_down" && httpVersion < 2) headers["connection"] = "close";
  return headers;
}
