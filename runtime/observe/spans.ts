/**
 * OpenTelemetry spans of writes, from the request over the commit to the last member's apply, sent by OTLP over HTTP.
 * The libraries are loaded only where an endpoint is configured; elsewhere nothing is done.
 */
import type { Context, Span, Tracer } from "@opentelemetry/api";

export interface WriteSpan {
  /** The transaction is durable here. `version`: null when nothing replicated changed. */
  committed(version: number | null, statements: number): void;
  failed(error: string): void;
  /** So many of the members asked have applied it: the last event of the span. */
  spread(applied: number, wanted: number): void;
}

export interface Spans {
  /** Whether anybody looks at what is told here. */
  readonly active: boolean;
  /** @param traceparent the W3C header of the request, if there was one. */
  write(traceparent: string | null): WriteSpan;
  /** Sends what waits. */
  close(): Promise<void>;
}

const noSpan: WriteSpan = { committed() {}, failed() {}, spread() {} };

export const noSpans: Spans = {
  active: false,
  write: () => noSpan,
  close: () => Promise.resolve(),
};

export interface SpanOptions {
  /** Such as http://127.0.0.1:4318 or …/v1/traces. */
  readonly endpoint: string;
  readonly name: string;
  readonly version: string;
  readonly actorId: string;
}

export async function startSpans(options: SpanOptions): Promise<Spans> {
  const [api, { OTLPTraceExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/sdk-trace-base"),
  ]);
  const url = options.endpoint.endsWith("/v1/traces")
    ? options.endpoint
    : `${options.endpoint.replace(/\/$/, "")}/v1/traces`;
  const processor = new sdk.BatchSpanProcessor(new OTLPTraceExporter({ url }), {
    maxQueueSize: 8_192,
  });
  const resource = resourceFromAttributes({
    "service.name": "patina",
    "service.version": options.version,
    "service.instance.id": options.name,
    "patina.actor_id": options.actorId,
  });
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer("patina", options.version);
  const { SpanStatusCode, ROOT_CONTEXT, trace } = api;
  const parentOf = (traceparent: string | null): Context => {
    const parent = traceparent === null ? null : parseTraceparent(traceparent);
    return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  };
  return {
    active: true,
    write(traceparent) {
      return openSpan(tracer, parentOf(traceparent), {
        childOf: (span) => trace.setSpan(ROOT_CONTEXT, span),
        fail: (span, message) => span.setStatus({ code: SpanStatusCode.ERROR, message }),
      });
    },
    close: () => provider.shutdown(),
  };
}

interface Tools {
  childOf(span: Span): Context;
  fail(span: Span, message: string): void;
}

function openSpan(tracer: Tracer, parent: Context, tools: Tools): WriteSpan {
  const span = tracer.startSpan("patina.write", {}, parent);
  const commit = tracer.startSpan("patina.commit", {}, tools.childOf(span));
  let spread: Span | null = null;
  return {
    committed(version, statements) {
      commit.setAttribute("patina.statements", statements);
      commit.end();
      if (version === null) {
        span.end();
        return;
      }
      span.setAttribute("patina.version", version);
      spread = tracer.startSpan("patina.spread", {}, tools.childOf(span));
    },
    failed(error) {
      tools.fail(commit, error);
      commit.end();
      tools.fail(span, error);
      span.end();
    },
    spread(applied, wanted) {
      spread?.setAttributes({ "patina.applied": applied, "patina.wanted": wanted });
      spread?.end();
      span.end();
    },
  };
}

/** W3C Trace Context, level 1, section 3.2. */
function parseTraceparent(
  text: string,
): { traceId: string; spanId: string; traceFlags: number; isRemote: true } | null {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text);
  if (match === null) return null;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
