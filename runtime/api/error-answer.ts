/** What a route has thrown, as it is told to the client. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ApiContext } from "./api-context.ts";
import { ApiError, asApiError, errorBody } from "./api-error.ts";
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

/** Ends a connection on which something came that is no HTTP/1.1 request. */
export function refuseBroken(error: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const told = ofBroken(error.code);
  const body = JSON.stringify(errorBody(told));
  const head = `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status]}\r\ncontent-type: application/json; charset=utf-8`;
  socket.end(
    `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function ofBroken(code: string | undefined): ApiError {
  if (code === "HPE_HEADER_OVERFLOW") {
    return new ApiError("headers_too_large", "the headers are longer than 16 KiB");
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new ApiError("request_timeout", "the request was not whole in time");
  }
  return new ApiError("bad_http", "this is no HTTP request", {
    hint: "the API speaks HTTP/1.1 and HTTP/2; https:// only where [api.tls] is configured",
  });
}
