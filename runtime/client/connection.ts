/** One node's API as requests and answers: connections that are kept, a token, errors that say what happened. */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface ConnectionOptions {
  /** "host:port", or with http:// or https:// before it. */
  readonly address: string;
  readonly token?: string;
  /** PEM texts of authorities that may have signed the node's certificate; the usual ones where left out. */
  readonly ca?: string | readonly string[];
}

export interface Request {
  readonly method: "GET" | "POST";
  /** With its query string. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What a node answered when it did not do as it was asked; or that none answered. */
export class PatinaError extends Error {
  override name = "PatinaError";
  /** A code of the API (docs/http.md), or `unreachable`. */
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly hint: string | null;
  /** SQLite's own code, such as SQLITE_CONSTRAINT_UNIQUE. */
  readonly sqlite: string | null;

  constructor(
    code: string,
    message: string,
    status: number,
    more: { readonly hint?: string | undefined; readonly sqlite?: string | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.hint = more.hint ?? null;
    this.sqlite = more.sqlite ?? null;
  }
}

export class Connection {
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor({ address, token, ca }: ConnectionOptions) {
    this.#base = baseOf(address);
    this.#token = token;
    this.#agent =
      this.#base.protocol === "https:"
        ? new HttpsAgent({
            keepAlive: true,
            ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
          })
        : new HttpAgent({ keepAlive: true });
  }

  /** Where it connects to. */
  get url(): string {
    return this.#base.origin;
  }

  /** The answer, whatever its status. @throws PatinaError when there is none. */
  send({ method, path, body, headers, signal }: Request): Promise<IncomingMessage> {
    const open = this.#base.protocol === "https:" ? httpsRequest : httpRequest;
    const options = {
      method,
      agent: this.#agent,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    };
    return new Promise((resolve, reject) => {
      const request = open(new URL(path, this.#base), options, resolve);
      request.on("error", (error) => reject(unreachable(this.url, error)));
      request.end(body);
    });
  }

  /** The whole answer as text. @throws PatinaError when it is an error. */
  async text(request: Request): Promise<string> {
    const response = await this.send(request);
    const text = await bodyOf(this.url, response);
    if ((response.statusCode ?? 0) >= 400) throw errorOf(response.statusCode ?? 0, text);
    return text;
  }

  /** Lines of an answer as they come. @throws PatinaError */
  async *lines(request: Request): AsyncGenerator<string> {
    const response = await this.send(request);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw errorOf(status, await bodyOf(this.url, response));
    let held = "";
    try {
      for await (const part of response.setEncoding("utf8") as AsyncIterable<string>) {
        const pieces = (held + part).split("\n");
        held = pieces.pop() ?? "";
        yield* pieces;
      }
    } catch (error) {
      throw unreachable(this.url, error as Error);
    } finally {
      response.destroy();
    }
    if (held !== "") yield held;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function baseOf(address: string): URL {
  const url = URL.parse(/^https?:\/\//i.test(address) ? address : `http://${address}`);
  if (url === null || url.host === "") {
    throw new PatinaError("bad_parameter", `${address} is no address such as 127.0.0.1:8080`, 0);
  }
  return url;
}

async function bodyOf(url: string, response: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const part of response.setEncoding("utf8") as AsyncIterable<string>) text += part;
  } catch (error) {
    throw unreachable(url, error as Error);
  }
  return text;
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be looked up",
  EHOSTUNREACH: "there is no way to the host",
  ETIMEDOUT: "it does not answer",
};

/** The certificate that the node shows is not one that is trusted here. */
const untrusted =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/;
/** What came back is no TLS, or no HTTP. */
const otherScheme = /^(?:HPE_|EPROTO|ERR_SSL_)/;

function unreachable(url: string, error: Error): PatinaError {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (untrusted.test(code)) {
    const why = error.message.replace(/; if the root CA.*$/, "");
    const hint = "name the authority of the API's certificate: --api-ca FILE, PATINA_API_CA";
    return new PatinaError("unreachable", `${url}: its certificate is not trusted: ${why}`, 0, {
      hint,
    });
  }
  const [scheme, other] = url.startsWith("https:") ? ["https", "http"] : ["http", "https"];
  const [why, hint] = otherScheme.test(code)
    ? [`it does not speak ${scheme}:// there`, `perhaps ${other}:// is meant`]
    : [reasons[code] ?? error.message, "is the node running, and is this the address of its API?"];
  return new PatinaError("unreachable", `${url} cannot be reached: ${why}`, 0, { hint });
}

interface ErrorFields {
  readonly error?: string;
  readonly code?: string;
  readonly hint?: string;
  readonly sqlite?: string;
}

/** @param text the body of an answer that is an error. */
export function errorOf(status: number, text: string): PatinaError {
  let body: ErrorFields & { readonly results?: readonly ErrorFields[] } = {};
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    // Something between us and the node has answered.
  }
  const told = body.error === undefined ? (body.results?.at(-1) ?? {}) : body;
  return errorFrom(status, told);
}

export function errorFrom(status: number, { error, code, hint, sqlite }: ErrorFields): PatinaError {
  return new PatinaError(code ?? "unknown", error ?? `the answer was ${status}`, status, {
    hint,
    sqlite,
  });
}
