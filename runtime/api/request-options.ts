/** What a request asks for beside its body: parameters of the query string, and headers. */
import { isUtf8 } from "node:buffer";
import { isHexId } from "../../core/base/ids.ts";
import { nearest } from "../../core/base/nearest.ts";
import { ApiError } from "./api-error.ts";
import type { Asked } from "./exchange.ts";

export type QueryString = Readonly<Record<string, string | readonly string[] | undefined>>;

export function queryOf(request: Asked): QueryString {
  return request.query as QueryString;
}

/** The body as text. @throws ApiError */
export function bodyText(request: Asked): string {
  const { body } = request;
  if (!Buffer.isBuffer(body)) {
    throw new ApiError("unsupported_media_type", "a JSON body is missing", {
      hint: "send it with content-type: application/json",
    });
  }
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new ApiError("unsupported_media_type", `a body in ${encoding} is not understood`, {
      hint: "send it as it is, without content-encoding",
    });
  }
  if (!isUtf8(body)) throw new ApiError("bad_json", "the body is not UTF-8");
  return body.toString("utf8");
}

/** A number of at least 0 in the query string. @throws ApiError */
export function numberOf(query: QueryString, name: string): number | null {
  const text = query[name];
  if (text === undefined || text === "") return null;
  const number =
    typeof text === "string" && /^\d{1,20}(\.\d{0,20})?(e[+-]?\d{1,2})?$/i.test(text)
      ? Number(text)
      : Number.NaN;
  if (number !== number) throw badParameter(name, "a number of at least 0");
  return number;
}

/** Seconds as milliseconds; 0 is no limit at all, told as null. @throws ApiError */
export function timeoutMsOf(query: QueryString, name: string, defaultMs: number): number | null {
  const seconds = numberOf(query, name);
  if (seconds === null) return defaultMs;
  return seconds === 0 ? null : Math.min(maxTimeoutMs, Math.ceil(seconds * 1000));
}

/** The longest that a timer can wait for. */
const maxTimeoutMs = 2 ** 31 - 1;

/** @throws ApiError */
export function flagOf(query: QueryString, name: string): boolean {
  const text = query[name];
  if (text === undefined || text === "false" || text === "0") return false;
  if (text === "true" || text === "1" || text === "") return true;
  throw badParameter(name, "true or false");
}

/**
 * A parameter that there is not, where it looks like one of the known ones mistyped. Others are passed
 * over, as Corrosion does: its clients may send what nobody asked for.
 */
export function mistyped(query: QueryString, known: readonly string[]): ApiError | null {
  for (const name of Object.keys(query)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    if (meant === null) continue;
    return new ApiError("bad_parameter", `there is no parameter ${name}`, {
      hint: `did you mean ${meant}?`,
    });
  }
  return null;
}

export function badParameter(name: string, wanted: string): ApiError {
  return new ApiError("bad_parameter", `${name} must be ${wanted}`);
}

export function headerOf(request: Asked, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
}

const idempotencyForm = /^[\x21-\x7e]{1,200}$/;

/** @throws ApiError */
export function idempotencyKeyOf(request: Asked): string | null {
  const key = headerOf(request, "idempotency-key");
  if (key === null) return null;
  if (!idempotencyForm.test(key)) {
    throw badParameter("the header idempotency-key", "1 to 200 printable ASCII characters");
  }
  return key;
}

export interface MinVersion {
  readonly actorId: string;
  readonly version: number;
}

/** @throws ApiError */
export function minVersionOf(request: Asked): MinVersion | null {
  const text = headerOf(request, "x-patina-min-version");
  if (text === null) return null;
  const colon = text.indexOf(":");
  const actorId = text.slice(0, Math.max(colon, 0)).replaceAll("-", "").toLowerCase();
  const version = text.slice(colon + 1);
  if (!isHexId(actorId) || !/^\d{1,15}$/.test(version)) {
    throw badParameter(
      "the header x-patina-min-version",
      "ACTOR:VERSION, as in actor_id and version of an answer to /v1/transactions",
    );
  }
  // Versions count from 1: who has seen none yet waits for none.
  return Number(version) === 0 ? null : { actorId, version: Number(version) };
}
