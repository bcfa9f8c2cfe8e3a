/** What the API has beyond Corrosion's: waiting, keys, limits, health. */
import { connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { json, lines, overHttp1, overHttp2, posted, server } from "./served.ts";
import { open, until } from "./open-stream.ts";
import { smallActor } from "./small-node.ts";

const insert = (k: string) => [["INSERT INTO kv VALUES (?, 1)", [k]]];
const endless =
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, printf('%1000d', i) FROM n";

describe("transactions", () => {
  const start = server();

  test("wait answers with how many peers have it: 200 when all asked have, else 202", async () => {
    const served = await start();
    served.node.peersApplied = 2;
    served.node.peersWanted = 3;
    const send = (query: string, k: string) =>
      overHttp1(served, posted(`/v1/transactions?${query}`, insert(k)));
    const two = await send("wait=2", "a");
    expect([two.status, json(two)["peers"]]).toEqual([200, { wanted: 2, applied: 2 }]);
    const all = await send("wait=all&wait_timeout=0.1", "b");
    expect([all.status, json(all)["peers"]]).toEqual([202, { wanted: 3, applied: 2 }]);
    expect(json(all)["version"]).toBe(2);
    const none = await send("", "c");
    expect(json(none)["peers"]).toBeUndefined();
    const same = await overHttp1(
      served,
      posted("/v1/transactions?wait=2", ["UPDATE kv SET v = 1"]),
    );
    expect([same.status, json(same)["version"]]).toEqual([200, null]);
    for (const wrong of [
      "wait=-1",
      "wait=some",
      "wait=",
      "wait_timeout=x",
      "timeout=-1",
      "timeout=1e",
    ]) {
      const answer = await send(wrong, wrong);
      expect([wrong, answer.status, answer.text]).toEqual([
        wrong,
        400,
        expect.stringContaining("bad_parameter"),
      ]);
    }
  });

  test("a parameter that looks like a mistyped one is an error; others are passed over, as Corrosion does", async () => {
    const served = await start();
    const send = (path: string, body: unknown) => overHttp1(served, posted(path, body));
    const wrong = await send("/v1/transactions?wait=1&wait_timout=9", insert("a"));
    expect([wrong.status, json(wrong)]).toEqual([
      400,
      {
        error: "there is no parameter wait_timout",
        code: "bad_parameter",
        hint: "did you mean wait_timeout?",
      },
    ]);
    for (const path of ["/v1/queries?Timeout=1", "/v1/queries?timeout=1&timeuot=2"]) {
      expect([path, (await send(path, "SELECT 1")).status]).toEqual([path, 400]);
    }
    const plane = await overHttp1(served, { path: "/v1/trace?plane=sync" });
    expect(json(plane)["hint"]).toBe("did you mean planes?");
    for (const query of ["nonce=7", "trace_id=5&_=1", "timeout=2&user=me", "from=0"]) {
      const path = `/v1/queries?${query}`;
      expect([path, (await send(path, "SELECT 1")).status]).toEqual([path, 200]);
    }
    const count = await send("/v1/queries", "SELECT count(*) FROM kv");
    expect(lines(count)[1]).toEqual({ row: [1, [0]] });
  });

  test("a transaction with a key runs once, and is answered as the first time", async () => {
    const served = await start();
    const send = (key: string, k: string) =>
      overHttp1(served, posted("/v1/transactions", insert(k), { "idempotency-key": key }));
    const first = await send("one", "a");
    const again = await send("one", "a");
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.text).toBe(first.text);
    const other = await send("two", "b");
    expect(json(other)["version"]).toBe(2);
    const bad = await send("with a space", "c");
    expect(bad.status).toBe(400);
  });

  test("a compressed body is refused as such", async () => {
    const served = await start();
    for (const [encoding, status] of [
      ["gzip", 415],
      ["identity", 200],
    ] as const) {
      const headers = { "content-encoding": encoding };
      const answer = await overHttp1(served, posted("/v1/queries", "SELECT 1", headers));
      expect([encoding, answer.status]).toEqual([encoding, status]);
    }
  });

  test("past the cap the answer is 503 at once", async () => {
    const served = await start({ maxConcurrent: 1 });
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    served.node.beforeTransact = () => gate;
    const first = overHttp1(served, posted("/v1/transactions", insert("a")));
    let answer = await overHttp1(served, posted("/v1/queries", "SELECT 1"));
    // The first may be a moment late.
    while (answer.status === 200)
      answer = await overHttp1(served, posted("/v1/queries", "SELECT 1"));
    expect([answer.status, json(answer)["code"]]).toEqual([503, "overloaded"]);
    expect(answer.headers["retry-after"]).toBe("1");
    expect((await overHttp1(served, { path: "/readyz" })).status).toBe(200);
    go();
    expect((await first).status).toBe(200);
    expect((await overHttp1(served, posted("/v1/queries", "SELECT 1"))).status).toBe(200);
  });

  test("names of parameters carry their sign", async () => {
    const served = await start();
    const answer = await overHttp1(
      served,
      posted("/v1/transactions", [["INSERT INTO kv VALUES (:k, 1)", { k: "a" }]]),
    );
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({
      results: [{ code: "sql", hint: expect.stringContaining('":k"') }],
    });
    const few = await overHttp1(
      served,
      posted("/v1/transactions", [["INSERT INTO kv VALUES (?, ?)", ["a"]]]),
    );
    expect([few.status, few.text]).toEqual([400, expect.stringContaining('"code":"sql"')]);
  });
});

describe("queries", () => {
  const start = server();

  test("a timeout before the first row is 504, later a last line", async () => {
    const served = await start();
    served.node.beforeBatch = () => new Promise((resolve) => setTimeout(resolve, 30));
    const early = await overHttp1(served, posted("/v1/queries?timeout=0.01", endless));
    expect([early.status, json(early)["code"]]).toEqual([504, "timeout"]);
    let batches = 0;
    served.node.beforeBatch = () =>
      batches++ < 3 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 300));
    const late = await overHttp1(served, posted("/v1/queries?timeout=0.2", endless));
    expect(late.status).toBe(200);
    expect(lines(late).at(-1)).toEqual({ error: expect.any(String), code: "timeout" });
    expect(served.node.openQueries).toBe(0);
  });

  test("a client that stops reading holds nothing up, and costs bounded memory", async () => {
    const served = await start();
    const slow = await open(served, "POST", "/v1/queries?timeout=0", JSON.stringify(endless));
    // It reads nothing: the source must come to a stand.
    let read = -1;
    while (read !== served.node.rowsRead) {
      read = served.node.rowsRead;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(read).toBeLessThan(20_000);
    expect((await overHttp1(served, posted("/v1/queries", "SELECT 1"))).status).toBe(200);
    slow.destroy();
    await until(() => served.node.openQueries === 0);
  });

  test("a client that goes away ends its query, over HTTP/2 too", async () => {
    const served = await start();
    const response = await open(served, "POST", "/v1/queries?timeout=0", JSON.stringify(endless));
    expect(served.node.openQueries).toBe(1);
    response.destroy();
    await until(() => served.node.openQueries === 0);
    const { connect } = await import("node:http2");
    const session = connect(served.url);
    const stream = session.request({
      ":method": "POST",
      ":path": "/v1/queries?timeout=0",
      "content-type": "application/json",
    });
    stream.on("error", () => {});
    stream.end(JSON.stringify(endless));
    await until(() => served.node.openQueries === 1);
    stream.close();
    await until(() => served.node.openQueries === 0);
    session.close();
  });

  test("a query waits for the version that it names", async () => {
    const served = await start();
    const ask = (header: string, query = "") =>
      overHttp1(
        served,
        posted(`/v1/queries${query}`, "SELECT count(*) FROM kv", {
          "x-patina-min-version": header,
        }),
      );
    await overHttp1(served, posted("/v1/transactions", insert("a")));
    expect((await ask(`${smallActor}:1`)).status).toBe(200);
    expect((await ask(`${smallActor}:0`, "?timeout=0.05")).status).toBe(200);
    const waiting = ask(`${smallActor}:2`);
    await overHttp1(served, posted("/v1/transactions", insert("b")));
    expect(lines(await waiting)[1]).toEqual({ row: [1, [2]] });
    const late = await ask(`${smallActor}:9`, "?timeout=0.05");
    expect([late.status, json(late)["code"]]).toEqual([504, "version_timeout"]);
    for (const wrong of ["", "x", smallActor, `${smallActor}:`, `${smallActor}:-1`, ":1", "zz:1"]) {
      const answer = await ask(wrong);
      expect([wrong, answer.status, json(answer)["code"]]).toEqual([wrong, 400, "bad_parameter"]);
    }
  });
});

describe("requests", () => {
  const start = server();

  test("a body over the limit is 413", async () => {
    const served = await start({ bodyLimitBytes: 1000 });
    for (const call of [overHttp1, overHttp2]) {
      const answer = await call(served, posted("/v1/transactions", insert("x".repeat(2000))));
      expect([answer.status, json(answer)["code"]]).toEqual([413, "body_too_large"]);
    }
  });

  test("a request meant for another endpoint is 421", async () => {
    const served = await start({ endpointName: "edge-7" });
    const ask = async (name?: string) => {
      const headers = name === undefined ? {} : { "x-corrosion-requested-endpoint-name": name };
      return (await overHttp1(served, { path: "/v1/status", headers })).status;
    };
    expect([await ask(), await ask("edge-7"), await ask("edge-8")]).toEqual([200, 200, 421]);
    const plain = await start();
    const headers = { "x-corrosion-requested-endpoint-name": "edge-8" };
    expect((await overHttp1(plain, { path: "/v1/status", headers })).status).toBe(200);
  });

  test("an unknown path is 404, a wrong method 405 with the right ones", async () => {
    const served = await start();
    const unknown = await overHttp1(served, { path: "/v1/nope?x=1" });
    expect([unknown.status, json(unknown)]).toEqual([
      404,
      expect.objectContaining({ code: "not_found" }),
    ]);
    const wrong = await overHttp1(served, { path: "/v1/queries" });
    expect([wrong.status, wrong.headers["allow"], json(wrong)["code"]]).toEqual([
      405,
      "POST",
      "method_not_allowed",
    ]);
    const other = await overHttp1(served, { method: "DELETE", path: "/v1/status" });
    expect([other.status, other.headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });

  test("subscriptions and updates say that they are not there yet", async () => {
    const served = await start();
    for (const call of [
      posted("/v1/subscriptions", "SELECT 1"),
      { path: "/v1/subscriptions/ba247cbc-2a7f-486b-873c-8a9620e72182" },
      { method: "POST", path: "/v1/updates/kv" },
    ]) {
      const answer = await overHttp1(served, call);
      expect([answer.status, json(answer)["code"]]).toEqual([501, "not_implemented"]);
    }
  });

  test("a preface that comes in pieces is understood, and so is a request", async () => {
    const served = await start();
    const [host, port] = served.address.split(":") as [string, string];
    const pieces = async (...texts: string[]) => {
      const socket = connectTcp(Number(port), host);
      const parts: Buffer[] = [];
      socket.on("data", (part: Buffer) => parts.push(part));
      for (const text of texts) {
        socket.write(text);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await until(() => parts.length > 0);
      socket.destroy();
      return Buffer.concat(parts);
    };
    const http1 = await pieces(
      "P",
      "OST /v1/nope HTTP/1.1\r\nhost: 127.0.0.1\r\n",
      "content-length: 0\r\n\r\n",
    );
    expect(http1.toString("latin1")).toMatch(/^HTTP\/1\.1 404 /);
    const http2 = await pieces("P", "R", "I * HTTP/2.0\r\n\r\nSM\r\n", "\r\n\0\0\0\x04\0\0\0\0\0");
    // A SETTINGS frame of the server: type 4 on stream 0.
    expect(http2[3]).toBe(4);
  });
});

describe("health", () => {
  const start = server();

  test("a quiet node alone is well, whatever the bounds", async () => {
    const answer = await overHttp1(await start(), {
      path: "/v1/health?gaps=0&p99_lag=0&max_queue=0",
    });
    expect([answer.status, answer.text]).toEqual([
      200,
      '{"response":{"gaps":0,"members":0,"p99_lag":0.0,"queue_size":0}}',
    ]);
  });

  test("past a bound it answers the status that was asked for, with the same body", async () => {
    const served = await start();
    served.node.statusChanges = { gaps: 2, p99Lag: 1.5, queueSize: 10 };
    const ask = async (query: string) =>
      (await overHttp1(served, { path: `/v1/health?${query}` })).status;
    expect(await ask("")).toBe(200);
    expect(await ask("gaps=2&p99_lag=1.5&max_queue=10")).toBe(200);
    expect(await ask("gaps=1")).toBe(503);
    expect(await ask("p99_lag=1.4")).toBe(503);
    expect(await ask("max_queue=9&failure_status=299")).toBe(299);
    expect(await ask("failure_status=700")).toBe(400);
    expect(await ask("gaps=many")).toBe(400);
    expect(await ask("p99_lag=1e-05")).toBe(503);
    expect(await ask("p99_lag=2.5E0")).toBe(200);
    expect(await ask("p99_lag=1e")).toBe(400);
  });

  test("a node that cannot store what peers send is unwell, whatever its figures", async () => {
    const served = await start();
    served.node.statusChanges = { storeFailing: "disk is full" };
    const { status, text } = await overHttp1(served, { path: "/v1/health?gaps=0" });
    expect([status, JSON.parse(text)]).toEqual([
      503,
      {
        response: {
          gaps: 0,
          members: 0,
          p99_lag: 0,
          queue_size: 0,
          store_failing: "disk is full",
        },
      },
    ]);
  });

  test("readyz follows the node", async () => {
    const served = await start();
    expect((await overHttp1(served, { path: "/readyz" })).status).toBe(200);
    served.node.unready = "the node has not joined yet";
    const { status, text } = await overHttp1(served, { path: "/readyz" });
    expect([status, JSON.parse(text)]).toEqual([
      503,
      { ready: false, why: "the node has not joined yet" },
    ]);
    expect((await overHttp1(served, { path: "/livez" })).status).toBe(200);
  });

  test("metrics are in Prometheus' format, with a name and a help line each", async () => {
    const served = await start();
    await overHttp1(served, posted("/v1/queries", "SELECT 1"));
    await overHttp1(served, { path: "/nope" });
    served.node.statusChanges = {
      members: { alive: 2, suspect: 1, down: 0, left: 0 },
      lag: [{ actorId: "ab", p50: 0.1, p99: 0.2, versionsBehind: 4 }],
    };
    const answer = await overHttp1(served, { path: "/metrics" });
    expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'patina_http_requests_total{endpoint="/v1/queries",status="200"} 1',
      'patina_http_requests_total{endpoint="unknown",status="404"} 1',
      'patina_members{state="suspect"} 1',
      'patina_peer_lag_seconds{actor="ab",quantile="0.99"} 0.2',
      'patina_peer_versions_behind{actor="ab"} 4',
      "patina_applied_versions_total 3",
      "patina_gaps 0",
    ]) {
      expect(answer.text).toContain(`${line}\n`);
    }
    for (const name of answer.text.match(/^[a-z_]+(?=[ {])/gm) ?? [])
      expect(name).toMatch(/^patina_/);
  });

  test("openapi.json names every route", async () => {
    const { paths } = json(await overHttp1(await start(), { path: "/v1/openapi.json" })) as {
      paths: Record<string, object>;
    };
    expect(Object.keys(paths).sort()).toEqual(
      [
        "/livez",
        "/metrics",
        "/readyz",
        "/v1/backup",
        "/v1/health",
        "/v1/members",
        "/v1/openapi.json",
        "/v1/queries",
        "/v1/reload",
        "/v1/status",
        "/v1/subscriptions",
        "/v1/subscriptions/{id}",
        "/v1/table_stats",
        "/v1/trace",
        "/v1/transactions",
        "/v1/updates/{table}",
      ].sort(),
    );
  });
});
