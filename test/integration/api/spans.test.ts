/** Spans of writes, as a collector receives them. */
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { startSpans } from "../../../runtime/observe/spans.ts";
import { overHttp1, posted, server } from "./served.ts";
import { smallActor } from "./small-node.ts";

interface SpanJson {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: object }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly SpanJson[] }[];
  }[];
}

describe("spans", () => {
  const start = server();

  test("a write is told from request to last apply, as a part of the caller's trace", async () => {
    const received: Export[] = [];
    const paths: (string | undefined)[] = [];
    const collector = createServer((request, response) => {
      paths.push(request.url);
      let text = "";
      request.setEncoding("utf8").on("data", (part: string) => (text += part));
      request.on("end", () => {
        received.push(JSON.parse(text) as Export);
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
    const { port } = collector.address() as { port: number };
    const spans = await startSpans({
      endpoint: `http://127.0.0.1:${port}`,
      name: "small",
      version: "1",
      actorId: smallActor,
    });
    const served = await start({}, spans);
    served.node.peersWanted = 2;
    served.node.peersApplied = 2;
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    await overHttp1(
      served,
      posted("/v1/transactions", ["INSERT INTO kv VALUES (1, 1)"], { traceparent }),
    );
    await overHttp1(
      served,
      posted("/v1/transactions", ["INSERT INTO kv VALUES (1, 1)"], { traceparent: "00-nonsense" }),
    );
    await spans.close();
    const all = received.flatMap(({ resourceSpans }) => resourceSpans);
    expect(paths).toEqual(["/v1/traces"]);
    expect(all[0]?.resource.attributes).toContainEqual({
      key: "service.name",
      value: { stringValue: "patina" },
    });
    const sent = all.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: some }) => some));
    const of = (name: string, trace: boolean) =>
      sent.find((span) => span.name === name && (span.traceId === traceId) === trace);
    const write = of("patina.write", true);
    expect(write).toMatchObject({ parentSpanId: "b7ad6b7169203331" });
    expect(write?.attributes).toContainEqual({ key: "patina.version", value: { intValue: 1 } });
    expect(of("patina.commit", true)).toMatchObject({ parentSpanId: write?.spanId });
    const spread = of("patina.spread", true);
    expect(spread?.parentSpanId).toBe(write?.spanId);
    expect(spread?.attributes).toContainEqual({ key: "patina.applied", value: { intValue: 2 } });
    expect(of("patina.write", false)?.status).toMatchObject({
      code: 2,
      message: expect.stringContaining("UNIQUE"),
    });
    collector.close();
    collector.closeAllConnections();
  });
});
