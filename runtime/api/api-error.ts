/** What an answer says when it is no: a status, a stable code, a sentence, and where there is one a hint. */
import { ServiceError, type ServiceErrorCode } from "../agent/node-service.ts";

/** Every code that an error object can carry, with the status that goes with it. `docs/http.md` lists them for users. */
export const errorStatus = {
  bad_http: 400,
  bad_json: 400,
  bad_shape: 422,
  bad_parameter: 400,
  no_statements: 400,
  sql: 400,
  not_readonly: 400,
  refused: 400,
  key_reused: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
  misdirected: 421,
  headers_too_large: 431,
  internal: 500,
  store_failed: 500,
  not_implemented: 501,
  overloaded: 503,
  shutting_down: 503,
  timeout: 504,
  version_timeout: 504,
  disk_full: 507,
  slow_consumer: 200,
} as const satisfies Record<ServiceErrorCode, number> & Record<string, number>;

export type ErrorCode = keyof typeof errorStatus;

export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ErrorCode;
  readonly hint: string | null;
  /** SQLite's own code, such as SQLITE_CONSTRAINT_UNIQUE. */
  readonly sqlite: string | null;

  constructor(
    code: ErrorCode,
    message: string,
    more: { readonly hint?: string | null; readonly sqlite?: string | null } = {},
  ) {
    super(message);
    this.code = code;
    this.hint = more.hint ?? null;
    this.sqlite = more.sqlite ?? null;
  }

  get status(): number {
    return errorStatus[this.code];
  }
}

export interface ErrorBody {
  readonly error: string;
  readonly code: ErrorCode;
  readonly hint?: string;
  readonly sqlite?: string;
}

export function errorBody({ message, code, hint, sqlite }: ApiError): ErrorBody {
  return {
    error: message,
    code,
    ...(hint === null ? {} : { hint }),
    ...(sqlite === null ? {} : { sqlite }),
  };
}

/** Anything thrown, as what the caller is told. What nobody foresaw is not told in detail. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ServiceError) {
    return new ApiError(error.code, error.message, { hint: error.hint, sqlite: error.sqlite });
  }
  return new ApiError("internal", "an unexpected error; the node's log tells more");
}
