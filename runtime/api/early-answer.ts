/**
 * Answers over HTTP/2 that are given before the request is whole: its body is too long, or nobody
 * reads it because there is no token. Node.js then resets the stream at once (NO_ERROR, RFC 9113,
 * section 8.1), and some clients, curl among them, take the reset for a failure where it arrives
 * together with the answer. So what comes is read for a while and thrown away.
 */
import { constants, type Http2ServerRequest } from "node:http2";
import type { FastifyRequest } from "fastify";

/** A client that goes on for so long after its answer has no interest in it. */
const readOnMs = 1000;

/** @param request has its answer, or is about to be given it. */
export function readOn({ raw }: FastifyRequest): void {
  if (raw.httpVersionMajor < 2 || raw.complete) return;
  const { stream } = raw as unknown as Http2ServerRequest;
  const late = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), readOnMs);
  late.unref();
  stream.once("close", () => clearTimeout(late));
  raw.resume();
}
