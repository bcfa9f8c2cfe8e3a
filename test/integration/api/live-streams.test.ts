/** Streams that go on: members as they change, the live trace; and how a stopping node ends them. */
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { address } from "../../../core/base/ids.ts";
import type { MemberInfo } from "../../../runtime/agent/node-service.ts";
import { Lines, open, until } from "./open-stream.ts";
import { overHttp1, posted, server } from "./served.ts";

const ann: MemberInfo = {
  name: "ann",
  actorId: "a".repeat(32),
  addr: "127.0.0.1:1",
  state: "alive",
  incarnation: 3,
  region: "iad",
  rttMs: 1.5,
};

describe("live streams", () => {
  const start = server();

  test("members are told, then each change", async () => {
    const served = await start();
    served.node.memberList = [ann];
    const told = {
      name: "ann",
      actor_id: "a".repeat(32),
      addr: "127.0.0.1:1",
      state: "alive",
      incarnation: 3,
      region: "iad",
      rtt_ms: 1.5,
    };
    expect(JSON.parse((await overHttp1(served, { path: "/v1/members" })).text)).toEqual([told]);
    const stream = new Lines(await open(served, "GET", "/v1/members?watch=true"));
    expect(await stream.next()).toEqual({ member: told });
    expect(await stream.next()).toEqual({ ready: true });
    expect((await overHttp1(served, { path: "/metrics" })).text).toContain(
      "patina_http_streams 1\n",
    );
    served.node.changeMember({ ...ann, state: "down" });
    expect(await stream.next()).toEqual({ member: { ...told, state: "down" } });
    stream.stop();
    await until(() => served.node.memberWatchers === 0);
  });

  test("the trace begins with its header and shows the planes asked for", async () => {
    const served = await start();
    const all = new Lines(await open(served, "GET", "/v1/trace"));
    const sync = new Lines(await open(served, "GET", "/v1/trace?planes=sync"));
    const header = await all.next();
    expect(header).toMatchObject({ trace: 1, source: "live", nodes: [{ n: 0, name: "small" }] });
    await sync.next();
    const peer = address("10.0.0.1:1");
    served.node.trace.record({ k: "send", to: peer, plane: "swim", msg: "ping", bytes: 10 });
    served.node.trace.record({ k: "recv", from: peer, plane: "sync", msg: "syncDone", bytes: 20 });
    expect(await all.next()).toMatchObject({ k: "join", n: 1, name: "10.0.0.1:1" });
    expect(await all.next()).toMatchObject({
      k: "send",
      n: 0,
      m: 1,
      to: 1,
      plane: "swim",
      msg: "ping",
    });
    expect(await all.next()).toMatchObject({
      k: "send",
      n: 1,
      m: 2,
      to: 0,
      plane: "sync",
      bytes: 20,
    });
    expect(await all.next()).toMatchObject({ k: "recv", n: 0, m: 2, from: 1, msg: "syncDone" });
    expect(await sync.next()).toMatchObject({ k: "join", n: 1 });
    expect(await sync.next()).toMatchObject({ k: "send", n: 1, m: 1 });
    all.stop();
    sync.stop();
    await until(() => !served.node.trace.active);
    expect((await overHttp1(served, { path: "/v1/trace?planes=nope" })).status).toBe(400);
  });

  test("a reader that is too slow is cut off and told so", async () => {
    const served = await start();
    const response = await open(served, "GET", "/v1/trace");
    const msg = "x".repeat(10_000);
    const peer = address("10.0.0.1:1");
    while (served.node.trace.active) {
      served.node.trace.record({ k: "send", to: peer, plane: "swim", msg, bytes: 1 });
      await new Promise((resolve) => setImmediate(resolve));
    }
    let text = "";
    for await (const part of response.setEncoding("utf8")) text += part as string;
    const [before, last] = text.trimEnd().split("\n").slice(-2).map(parsed);
    expect(last).toMatchObject({ k: "error", error: expect.any(String), code: "slow_consumer" });
    expect(last?.["t"]).toBeGreaterThanOrEqual(before?.["t"] as number);
  });

  test("a stop ends them with a last line, and waits for what is under way", async () => {
    const served = await start();
    const stream = new Lines(await open(served, "GET", "/v1/members?watch=true"));
    expect(await stream.next()).toEqual({ ready: true });
    let go = (): void => {};
    let begun = false;
    served.node.beforeTransact = () => {
      begun = true;
      return new Promise<void>((resolve) => {
        go = resolve;
      });
    };
    const answer = overHttp1(served, posted("/v1/transactions", ["INSERT INTO kv VALUES (1, 1)"]));
    await until(() => begun);
    const late = connect(Number(served.address.split(":")[1]), "127.0.0.1");
    late.write("GET /v1/status HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = served.api.close(10_000);
    expect(await stream.next()).toEqual({ error: expect.any(String), code: "shutting_down" });
    expect(await stream.next()).toBeNull();
    await expect(overHttp1(served, { path: "/livez" })).rejects.toThrow("ECONNREFUSED");
    late.write("\r\n");
    let told = "";
    for await (const part of late) told += String(part);
    expect(told).toMatch(/^HTTP\/1\.1 503 [^]*connection: close[^]*"shutting_down"/);
    go();
    expect((await answer).status).toBe(200);
    await closed;
  });
});

function parsed(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>;
}
