/** Plain requests are answered before the framework, others by it: nobody can tell which it was. */
import { describe, expect, test } from "vitest";
import { hashToken } from "../../../runtime/auth/token.ts";
import { type Answer, type Call, overHttp1, posted, server } from "./served.ts";

const long = `"${"x".repeat(70_000)}"`;
const calls: readonly (readonly [what: string, call: Call])[] = [
  ["a query", posted("/v1/queries", ["SELECT k, v FROM kv WHERE k = ?", ["a"]])],
  ["a query for a process of its own", posted("/v1/queries", "SELECT count(*) FROM kv")],
  ["bad SQL", posted("/v1/queries", "SELECT nothing FROM kv")],
  ["a query that writes", posted("/v1/queries", "DELETE FROM kv")],
  ["a transaction", posted("/v1/transactions", [["UPDATE kv SET v = v + ?", [1]]])],
  ["no statement", posted("/v1/transactions", [])],
  ["a statement that fails", posted("/v1/transactions", ["INSERT INTO kv VALUES (NULL, 1)"])],
  ["a wrong shape", posted("/v1/transactions", { sql: 1 })],
  ["no JSON", { ...posted("/v1/queries", ""), body: "SELECT 1" }],
  ["a body in another encoding", posted("/v1/queries", "SELECT 1", { "content-encoding": "br" })],
  ["a parameter of a header", posted("/v1/queries", "SELECT 1", { "x-patina-min-version": "?" })],
  ["a long body", { ...posted("/v1/queries", ""), body: long }],
  ["another method", { method: "GET", path: "/v1/queries" }],
];

describe("the short way", () => {
  const start = server();

  test.each(calls)("%s", async (_what, call) => {
    const served = await start();
    await overHttp1(served, posted("/v1/transactions", ["INSERT INTO kv VALUES ('a', 1)"]));
    const plain = await overHttp1(served, call);
    // A query string, even an empty one, is not plain.
    const other = await overHttp1(served, { ...call, path: `${call.path}?` });
    expect(told(plain)).toEqual(told(other));
  });

  test("who shows no token is turned away by either", async () => {
    const token = { name: "t", hash: hashToken("secret"), read: ["*"], write: ["*"], admin: false };
    const served = await start({ tokens: [token] });
    const ask = (path: string, authorization?: string): Promise<Answer> =>
      overHttp1(served, posted(path, "SELECT 1", authorization ? { authorization } : {}));
    for (const path of ["/v1/queries", "/v1/queries?"]) {
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, "Bearer wrong")).status).toBe(401);
      expect((await ask(path, "Bearer secret")).status).toBe(200);
    }
  });
});

/** The answer without what differs between any two: times, the version, the date. */
function told({ status, headers, text }: Answer): unknown {
  const { date: _date, "content-length": _length, ...rest } = headers;
  return {
    status,
    headers: rest,
    text: text.replace(/"time":[\d.e-]+/g, '"time":0').replace(/"version":\d+/, '"version":0'),
  };
}
