/** The API that Corrosion has, as its clients meet it: over each of the ways in. */
import { describe, expect, test } from "vitest";
import {
  type Answer,
  type Client,
  json,
  jsonType,
  lines,
  overFetch,
  overHttp1,
  overHttp2,
  posted,
  type Served,
  server,
} from "./served.ts";
import { smallActor } from "./small-node.ts";

const clients: readonly (readonly [string, Client])[] = [
  ["HTTP/1.1", overHttp1],
  ["HTTP/2 with prior knowledge", overHttp2],
  ["fetch", overFetch],
];

describe.each(clients)("over %s", (_name, call) => {
  const start = server();
  const execute = (served: Served, body: unknown): Promise<Answer> =>
    call(served, posted("/v1/transactions", body));
  const query = (served: Served, body: unknown): Promise<Answer> =>
    call(served, posted("/v1/queries", body));

  test("a transaction tells what each statement did, its version and its author", async () => {
    const served = await start();
    const answer = await execute(served, [
      ["INSERT INTO kv VALUES (?, ?)", ["a", 1]],
      "INSERT INTO kv VALUES ('b', 2), ('c', 3)",
    ]);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    const { results, time, version, actor_id } = json(answer);
    expect(results).toEqual([
      { rows_affected: 1, time: expect.any(Number) },
      { rows_affected: 2, time: expect.any(Number) },
    ]);
    expect(time).toBeGreaterThanOrEqual(0);
    expect([version, actor_id]).toEqual([1, smallActor]);
  });

  test("a transaction that changes nothing has no version", async () => {
    const served = await start();
    await execute(served, ["INSERT INTO kv VALUES ('a', 1)"]);
    const answer = await execute(served, ["UPDATE kv SET v = 1 WHERE k = 'a'"]);
    expect(json(answer)).toMatchObject({
      results: [{ rows_affected: 1 }],
      version: null,
    });
    const next = await execute(served, ["UPDATE kv SET v = 2 WHERE k = 'a'"]);
    expect(json(next).version).toBe(2);
  });

  test("no statement at all is an error in its place", async () => {
    const answer = await execute(await start(), []);
    expect(answer.status).toBe(400);
    expect(answer.text).toBe(
      `{"results":[{"error":"at least 1 statement is required","code":"no_statements"}],"time":0.0,"version":null,"actor_id":"${smallActor}"}`,
    );
  });

  test("a statement that fails rolls back all of them and is the one result", async () => {
    const served = await start();
    const answer = await execute(served, [
      "INSERT INTO kv VALUES ('a', 1)",
      "INSERT INTO kv VALUES ('a', 2)",
      "INSERT INTO kv VALUES ('b', 2)",
    ]);
    expect(answer.status).toBe(400);
    const { results, version } = json(answer);
    expect(results).toEqual([
      {
        error: "UNIQUE constraint failed: kv.k",
        code: "sql",
        sqlite: "SQLITE_CONSTRAINT_PRIMARYKEY",
        statement: 1,
      },
    ]);
    expect(version).toBeNull();
    const rows = lines(await query(served, "SELECT * FROM kv"));
    expect(rows.slice(0, -1)).toEqual([{ columns: ["k", "v"] }]);
  });

  test("a query answers columns, numbered rows and the end", async () => {
    const served = await start();
    await execute(served, ["INSERT INTO kv VALUES ('a', 1), ('b', x'00ff'), ('c', NULL)"]);
    const answer = await query(served, "SELECT k AS key, v FROM kv ORDER BY k");
    expect(answer.status).toBe(200);
    expect(lines(answer)).toEqual([
      { columns: ["key", "v"] },
      { row: [1, ["a", 1]] },
      { row: [2, ["b", [0, 255]]] },
      { row: [3, ["c", null]] },
      { eoq: { time: expect.any(Number) } },
    ]);
  });

  test("a query of many rows has all of them, in order", async () => {
    const served = await start();
    const answer = await query(
      served,
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, 'text ' || i FROM n",
    );
    const rows = lines(answer).slice(1, -1);
    expect(rows).toHaveLength(5000);
    expect(rows[4999]).toEqual({ row: [5000, [5000, "text 5000"]] });
  });

  test("every form of statement and of parameter", async () => {
    const served = await start();
    const answer = await execute(served, [
      "INSERT INTO kv VALUES ('simple', 1)",
      ["INSERT INTO kv VALUES (?, ?)", ["list", true]],
      ["INSERT INTO kv VALUES (:k, :v)", { ":k": "named", ":v": [1, 2, 255] }],
      { query: "INSERT INTO kv VALUES (?, ?)", params: ["verbose", { a: [1] }] },
      {
        query: "INSERT INTO kv VALUES (@k, $v)",
        named_params: { "@k": "verbose named", $v: [256] },
      },
      { query: "INSERT INTO kv VALUES ('alone', 1.5)", params: null, named_params: null },
      ["INSERT INTO kv VALUES (?2, ?1)", [7, "numbered"]],
      ["INSERT INTO kv VALUES (:k, :v)", ["by place", 8]],
      ["INSERT INTO kv VALUES (:k, :v)", { ":k": "left out" }],
      "INSERT INTO kv VALUES ('returned', 9) RETURNING k",
    ]);
    expect(json(answer)["results"]).toEqual(
      Array.from({ length: 10 }, () => ({ rows_affected: 1, time: expect.any(Number) })),
    );
    expect(answer.text).not.toContain("error");
    const rows = lines(
      await query(served, { query: "SELECT k, v, typeof(v) FROM kv ORDER BY rowid" }),
    );
    expect(rows.slice(1, -1).map(({ row }) => (row as [number, unknown])[1])).toEqual([
      ["simple", 1, "integer"],
      ["list", 1, "integer"],
      ["named", [1, 2, 255], "blob"],
      ["verbose", '{"a":[1]}', "text"],
      ["verbose named", "[256]", "text"],
      ["alone", 1.5, "real"],
      ["numbered", 7, "integer"],
      ["by place", 8, "integer"],
      ["left out", null, "null"],
      ["returned", 9, "integer"],
    ]);
  });

  test("integers of 64 bits are never rounded, and 1.0 stays apart from 1", async () => {
    const served = await start();
    const body =
      '[["INSERT INTO kv VALUES (?, ?)", ["big", 9223372036854775807]], ["INSERT INTO kv VALUES (?, ?)", ["small", -9223372036854775808]],' +
      '["INSERT INTO kv VALUES (?, ?)", ["past", 9223372036854775808]], ["INSERT INTO kv VALUES (?, ?)", ["one", 1.0]], ["INSERT INTO kv VALUES (?, ?)", ["e", 1e2]]]';
    await call(served, { method: "POST", path: "/v1/transactions", headers: jsonType, body });
    const { text } = await query(served, "SELECT k, v, typeof(v) FROM kv");
    expect(text).toContain('["big",9223372036854775807,"integer"]');
    expect(text).toContain('["small",-9223372036854775808,"integer"]');
    expect(text).toContain('["past",9223372036854776000.0,"real"]');
    expect(text).toContain('["one",1.0,"real"]');
    expect(text).toContain('["e",100.0,"real"]');
  });

  test("a query that writes is refused in Corrosion's words", async () => {
    const served = await start();
    for (const sql of [
      "INSERT INTO kv VALUES ('a', 1)",
      "DELETE FROM kv RETURNING k",
      "WITH x AS (SELECT 1) UPDATE kv SET v = 1",
    ]) {
      const answer = await query(served, sql);
      expect(answer.status).toBe(400);
      expect(json(answer)).toMatchObject({
        error: "statement is not readonly",
        code: "not_readonly",
      });
    }
  });

  test("a query of bad SQL is told what is wrong with it", async () => {
    const answer = await query(await start(), "SELECT nope FROM kv");
    expect(answer.status).toBe(400);
    expect(json(answer)).toEqual({
      error: "no such column: nope",
      code: "sql",
      sqlite: "SQLITE_ERROR",
    });
  });

  test("a query that fails before its first row is an error, later a last line", async () => {
    const served = await start();
    const early = await query(served, "SELECT json('x')");
    expect([early.status, json(early)["code"]]).toEqual([400, "sql"]);
    const late = await query(
      served,
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT CASE WHEN i < 250 THEN i ELSE json('x') END FROM n",
    );
    expect(late.status).toBe(200);
    expect(lines(late)[0]).toEqual({ columns: [expect.any(String)] });
    expect(lines(late)[192]).toEqual({ row: [192, [192]] });
    expect(lines(late).at(-1)).toEqual({
      error: "malformed JSON",
      code: "sql",
      sqlite: "SQLITE_ERROR",
    });
  });

  test("table_stats counts the rows of the tables that there are", async () => {
    const served = await start();
    await execute(served, ["INSERT INTO kv VALUES ('a', 1), ('b', 2)"]);
    const answer = await call(
      served,
      posted("/v1/table_stats", { tables: ["kv", "nope", "patina_log"] }),
    );
    expect(answer.status).toBe(200);
    expect(json(answer)).toEqual({ total_row_count: 2, invalid_tables: ["nope", "patina_log"] });
  });

  test("bad JSON is 400, a wrong shape 422, no JSON 415", async () => {
    const served = await start();
    const send = (body: string, headers: Record<string, string> = jsonType): Promise<Answer> =>
      call(served, { method: "POST", path: "/v1/transactions", headers, body });
    for (const body of [
      "",
      "[",
      '["a"',
      '["a"]]',
      "{'a'}",
      '["\\u12"]',
      "[tru]",
      '["\\ud800"]',
      "[01]",
    ]) {
      const answer = await send(body);
      expect([body, answer.status, json(answer)["code"]]).toEqual([body, 400, "bad_json"]);
    }
    for (const body of [
      "{}",
      '"SELECT 1"',
      "null",
      "[1]",
      "[{}]",
      '[["a", 1]]',
      '[["a", [], 1]]',
      '[{"query": 1}]',
    ]) {
      const answer = await send(body);
      expect([body, answer.status, json(answer)["code"]]).toEqual([body, 422, "bad_shape"]);
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
      const answer = await send("[]", { "content-type": type });
      expect([type, answer.status, json(answer)["code"]]).toEqual([
        type,
        415,
        "unsupported_media_type",
      ]);
    }
    const wrong = await call(served, posted("/v1/table_stats", { tables: 1 }));
    expect([wrong.status, json(wrong)["code"]]).toEqual([422, "bad_shape"]);
  });
});
