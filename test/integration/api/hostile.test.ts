/** Whatever comes in, the server answers or hangs up, and goes on serving everybody else. */
import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { overHttp1, posted, type Served, server } from "./served.ts";

/** Sends bytes as they are; what came back before the other side hung up or fell silent. */
function raw({ address }: Served, bytes: Uint8Array | string): Promise<string> {
  const [host, port] = address.split(":") as [string, string];
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    let text = "";
    socket.setTimeout(50, () => socket.destroy());
    socket.on("data", (part: Buffer) => {
      text += part.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    socket.end(bytes);
  });
}

async function stillServes(served: Served): Promise<void> {
  const answer = await overHttp1(served, posted("/v1/queries", "SELECT 1"));
  expect(answer.status).toBe(200);
}

const paths = [
  "/v1/transactions",
  "/v1/queries",
  "/v1/table_stats",
  "/v1/health",
  "/v1/members",
  "/v1/trace",
  "/v1/backup",
];

describe("hostile input", () => {
  const start = server({ bodyLimitBytes: 100_000 });

  test("bodies of any bytes are answered with a 4xx, or done", async () => {
    const served = await start();
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)),
      fc
        .constantFrom("SELECT 1", "DELETE FROM kv", "CREATE TABLE t (a)", "\0", "SELECT ?", "'")
        .map((sql) => Buffer.from(JSON.stringify([sql]))),
    );
    const path = fc.constantFrom(
      "/v1/transactions",
      "/v1/queries",
      "/v1/table_stats",
      "/v1/backup",
    );
    await fc.assert(
      fc.asyncProperty(path, body, async (where, bytes) => {
        const headers = { "content-type": "application/json" };
        const { status, text } = await overHttp1(served, {
          method: "POST",
          path: where,
          headers,
          body: bytes,
        });
        expect([status < 500, text]).toEqual([true, expect.any(String)]);
        if (status >= 400) expect(text).toContain('"code":"');
      }),
      { numRuns: 200 },
    );
    await stillServes(served);
  });

  test("query strings and headers of any text", async () => {
    const served = await start();
    const printable = fc.string({
      unit: fc.constantFrom(...Array.from("aZ09-_:;,.%=&?/\"'\\ \t{}[]~!@#$^*()")),
      maxLength: 40,
    });
    const name = fc.constantFrom(
      "authorization",
      "content-type",
      "idempotency-key",
      "x-patina-min-version",
      "traceparent",
      "x-corrosion-requested-endpoint-name",
      "accept",
      "expect",
      "transfer-encoding",
    );
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        printable,
        name,
        printable,
        async (path, query, header, text) => {
          const body = JSON.stringify("SELECT 1");
          const request = `POST ${path}?timeout=${encodeURIComponent(query)}&${query.replace(/\s/g, "")} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${header}: ${text}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
          const answer = await raw(served, request);
          if (answer === "") return;
          answered++;
          expect(answer).toMatch(/^HTTP\/1\.1 (2|4|501)/);
        },
      ),
      { numRuns: 150 },
    );
    expect(answered).toBeGreaterThan(100);
    await stillServes(served);
  });

  test("bytes that are no HTTP at all, and prefaces that go on wrong", async () => {
    const served = await start();
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([preface, rest])),
      fc
        .uint8Array({ maxLength: 50 })
        .map((rest) => Buffer.concat([preface.subarray(0, rest.length % 24), rest])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        await raw(served, sent);
      }),
      { numRuns: 60 },
    );
    await stillServes(served);
  });

  test("what is no HTTP is told as such, with a code as every error", async () => {
    const served = await start();
    const wrong = [
      "GET /livez HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n",
      "hello\r\n\r\n",
      "POST /v1/queries HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: -1\r\n\r\n",
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
    ];
    for (const bytes of wrong) {
      const answer = await raw(served, bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ code: "bad_http" });
    }
    await stillServes(served);
  });

  test("headers without end are refused", async () => {
    const served = await start();
    const answer = await raw(
      served,
      `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n${"x: y\r\n".repeat(20_000)}\r\n`,
    );
    expect(answer).toMatch(/^(HTTP\/1\.1 4|$)/);
    await stillServes(served);
  });
});
