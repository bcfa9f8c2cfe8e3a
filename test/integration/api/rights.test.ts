/** Who may do what: tokens, and rights by what a statement really reads and writes. */
import { describe, expect, test } from "vitest";
import { createToken } from "../../../runtime/auth/token.ts";
import type { TokenConfig } from "../../../runtime/config/node-config.ts";
import { Lines, open } from "./open-stream.ts";
import { json, overHttp1, posted, type Served, server } from "./served.ts";

const schema = [
  "CREATE TABLE public (id INTEGER PRIMARY KEY NOT NULL, v)",
  "CREATE TABLE secret (id INTEGER PRIMARY KEY NOT NULL, v)",
  "CREATE TABLE audit /* patina: local */ (n INTEGER PRIMARY KEY, what)",
  "CREATE TABLE child (id INTEGER PRIMARY KEY NOT NULL, parent REFERENCES public (id) ON DELETE CASCADE)",
  "CREATE VIEW window AS SELECT id, v FROM secret",
  "CREATE VIEW open_window AS SELECT id, v FROM public",
  "CREATE TRIGGER told AFTER UPDATE ON public BEGIN INSERT INTO audit (what) VALUES (new.v); END",
];

interface Rights {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly admin?: boolean;
}

function token(name: string, { read = [], write = [], admin = false }: Rights) {
  const { token: secret, hash } = createToken();
  const config: TokenConfig = { name, hash, read, write, admin };
  return { secret, config };
}

const reader = token("reader", { read: ["public"] });
const writer = token("writer", { read: ["public"], write: ["Public"] });
const blind = token("blind", { write: ["public"] });
const all = token("all", { read: ["*"], write: ["*"] });
const boss = token("boss", { admin: true });
const tokens = [reader, writer, blind, all, boss].map(({ config }) => config);

describe("tokens", () => {
  const start = server({ tokens }, schema);

  async function status(served: Served, path: string, headers: Record<string, string>) {
    return (await overHttp1(served, { path, headers })).status;
  }

  test("none, a wrong one and another scheme are strangers everywhere but at livez and readyz", async () => {
    const served = await start();
    const strangers: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${boss.secret}x` },
      { authorization: `Bearer ${boss.config.hash}` },
      { authorization: `Basic ${boss.secret}` },
      { authorization: boss.secret },
      { authorization: "Bearer" },
    ];
    for (const headers of strangers) {
      for (const path of [
        "/v1/status",
        "/v1/health",
        "/metrics",
        "/v1/nothing",
        "/v1/openapi.json",
      ]) {
        const answer = await overHttp1(served, { path, headers });
        expect([path, answer.status, json(answer)["code"]]).toEqual([path, 401, "unauthorized"]);
        expect(answer.headers["www-authenticate"]).toBe("Bearer");
      }
      expect(await status(served, "/livez", headers)).toBe(200);
      expect(await status(served, "/readyz", headers)).toBe(200);
    }
  });

  test("the scheme's name may be written in any way", async () => {
    const served = await start();
    for (const scheme of ["Bearer", "bearer", "BEARER "]) {
      expect(
        await status(served, "/v1/status", { authorization: `${scheme} ${reader.secret}` }),
      ).toBe(200);
    }
  });

  test("a reload revokes what is left out, and lets in what is new", async () => {
    const served = await start();
    const late = token("late", { read: ["public"] });
    const as = (secret: string) => ({ authorization: `Bearer ${secret}` });
    expect(await status(served, "/v1/status", as(late.secret))).toBe(401);
    served.api.reloadTokens([late.config]);
    expect(await status(served, "/v1/status", as(late.secret))).toBe(200);
    expect(await status(served, "/v1/status", as(reader.secret))).toBe(401);
  });

  test("a reload ends the live streams of a token that is revoked, and no others", async () => {
    const served = await start();
    const watch = async (secret: string) =>
      new Lines(await open(served, "GET", "/v1/members?watch=true", undefined, `Bearer ${secret}`));
    const revoked = await watch(reader.secret);
    const kept = await watch(boss.secret);
    expect([await revoked.next(), await kept.next()]).toEqual([{ ready: true }, { ready: true }]);
    served.api.reloadTokens([boss.config]);
    expect(await revoked.next()).toEqual({ error: "the token was revoked", code: "unauthorized" });
    expect(await revoked.next()).toBeNull();
    expect(served.node.memberWatchers).toBe(1);
    kept.stop();
  });

  test("without its last token an API that others reach answers nobody, on loopback everybody", async () => {
    const far = await start({ addrs: ["0.0.0.0:0"] });
    const near = await start();
    for (const { api } of [far, near]) api.reloadTokens([]);
    const port = far.address.split(":")[1] ?? "";
    const answer = await fetch(`http://127.0.0.1:${port}/v1/status`, {
      headers: { authorization: `Bearer ${boss.secret}` },
    });
    expect(answer.status).toBe(401);
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    expect(await status(near, "/v1/status", {})).toBe(200);
  });

  test("backup and reload are for admins, the trace for who may read all", async () => {
    const served = await start();
    const call = async (path: string, body: unknown, secret: string) =>
      (await overHttp1(served, posted(path, body, { authorization: `Bearer ${secret}` }))).status;
    for (const { secret } of [reader, all]) {
      expect(await call("/v1/backup", { path: "/somewhere/copy" }, secret)).toBe(403);
      expect(await call("/v1/reload", {}, secret)).toBe(403);
    }
    expect(await call("/v1/backup", { path: "/somewhere/copy" }, boss.secret)).toBe(200);
    expect(await call("/v1/backup", { path: "x" }, boss.secret)).toBe(400);
    expect(await call("/v1/reload", {}, boss.secret)).toBe(200);
    expect(served.node.backups).toEqual(["/somewhere/copy"]);
    expect(await status(served, "/v1/trace", { authorization: `Bearer ${reader.secret}` })).toBe(
      403,
    );
  });
});

describe("rights", () => {
  const start = server({ tokens }, schema);

  async function run(served: Served, path: string, sql: string, secret: string) {
    const body = path === "/v1/queries" ? sql : [sql];
    const answer = await overHttp1(
      served,
      posted(path, body, { authorization: `Bearer ${secret}` }),
    );
    return { status: answer.status, body: answer.text };
  }

  const reads: readonly (readonly [what: string, sql: string, tables: readonly string[]])[] = [
    ["a table", "SELECT * FROM public", ["public"]],
    ["another table", "SELECT * FROM secret", ["secret"]],
    ["a count alone", "SELECT count(*) FROM secret", ["secret"]],
    ["nothing but that it is there", "SELECT 1 FROM secret", ["secret"]],
    ["a view on it", "SELECT id FROM window", ["secret"]],
    ["a view on a table that may be read", "SELECT id FROM open_window", ["public"]],
    ["a join", "SELECT p.v FROM public p JOIN secret s ON s.id = p.id", ["public", "secret"]],
    [
      "a subquery",
      "SELECT v FROM public WHERE id IN (SELECT id FROM secret)",
      ["public", "secret"],
    ],
    ["a scalar subquery", "SELECT (SELECT max(v) FROM secret)", ["secret"]],
    ["a common table", "WITH s AS (SELECT * FROM secret) SELECT * FROM s", ["secret"]],
    [
      "a common table with the name of another",
      "WITH public AS (SELECT * FROM secret) SELECT * FROM public",
      ["secret"],
    ],
    ["a union", "SELECT v FROM public UNION SELECT v FROM secret", ["public", "secret"]],
    [
      "an ORDER BY",
      "SELECT v FROM public ORDER BY (SELECT count(*) FROM secret)",
      ["public", "secret"],
    ],
    ["a window function", "SELECT sum(v) OVER (ORDER BY id) FROM secret", ["secret"]],
    ["other letters and quotes", 'SELECT * FROM main."SECRET"', ["secret"]],
    ["JSON of its own arguments", "SELECT value FROM json_each('[1]')", []],
    ["nothing at all", "SELECT 1", []],
    ["a plan", "EXPLAIN QUERY PLAN SELECT * FROM secret WHERE id = 1", ["secret"]],
  ];

  test.each(reads)("a query reads %s", async (_what, sql, tables) => {
    const served = await start();
    const allowed = tables.every((table) => table === "public");
    expect((await run(served, "/v1/queries", sql, reader.secret)).status).toBe(allowed ? 200 : 403);
    expect((await run(served, "/v1/queries", sql, all.secret)).status).toBe(200);
    expect((await run(served, "/v1/queries", sql, boss.secret)).status).toBe(200);
    const blindly = (await run(served, "/v1/queries", sql, blind.secret)).status;
    expect(blindly).toBe(tables.length === 0 ? 200 : 403);
  });

  const writes: readonly (readonly [what: string, sql: string, allowed: boolean])[] = [
    ["INSERT", "INSERT INTO public VALUES (1, 2)", true],
    ["INSERT into another", "INSERT INTO secret VALUES (1, 2)", false],
    ["INSERT … SELECT from another", "INSERT INTO public SELECT * FROM secret", false],
    [
      "INSERT with a subquery on another",
      "INSERT INTO public VALUES (1, (SELECT v FROM secret))",
      false,
    ],
    ["INSERT … RETURNING", "INSERT INTO public VALUES (1, 2) RETURNING v", true],
    [
      "INSERT … RETURNING a subquery on another",
      "INSERT INTO public VALUES (1, 2) RETURNING (SELECT v FROM secret)",
      false,
    ],
    ["INSERT of several rows", "INSERT INTO public VALUES (1, 2), (3, 4)", true],
    ["REPLACE that cascades to another", "REPLACE INTO public VALUES (1, 2)", false],
    ["UPSERT", "INSERT INTO public VALUES (1, 2) ON CONFLICT (id) DO NOTHING", true],
    ["UPDATE that fires a trigger on another", "UPDATE public SET v = 1", false],
    ["DELETE that cascades to another", "DELETE FROM public WHERE id = 1", false],
    ["DELETE elsewhere", "DELETE FROM secret", false],
    [
      "WITH before a write",
      "WITH s AS (SELECT * FROM secret) INSERT INTO public SELECT * FROM s",
      false,
    ],
    ["SELECT inside a transaction", "SELECT * FROM public", true],
    ["SELECT of another inside a transaction", "SELECT * FROM secret", false],
  ];

  test.each(writes)("a transaction does %s", async (_what, sql, allowed) => {
    const served = await start();
    const answer = await run(served, "/v1/transactions", sql, writer.secret);
    expect([answer.status, answer.body]).toEqual([allowed ? 200 : 403, expect.anything()]);
    if (!allowed) expect(answer.body).toContain('"code":"forbidden"');
    expect((await run(served, "/v1/transactions", sql, all.secret)).body).not.toContain(
      "forbidden",
    );
    expect((await run(served, "/v1/transactions", sql, reader.secret)).status).toBe(
      sql.startsWith("SELECT * FROM public") ? 200 : 403,
    );
  });

  test("who may write and not read inserts, and learns nothing", async () => {
    const served = await start();
    const send = async (sql: string) =>
      (await run(served, "/v1/transactions", sql, blind.secret)).status;
    expect(await send("INSERT INTO public VALUES (1, 2)")).toBe(200);
    expect(await send("INSERT INTO public VALUES (2, 2) RETURNING v")).toBe(403);
    expect(
      await send("INSERT INTO public VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET v = v + 1"),
    ).toBe(403);
  });

  test("one statement without the right fails the whole transaction", async () => {
    const served = await start();
    const headers = { authorization: `Bearer ${writer.secret}` };
    const answer = await overHttp1(
      served,
      posted(
        "/v1/transactions",
        ["INSERT INTO public VALUES (1, 2)", "INSERT INTO secret VALUES (1, 2)"],
        headers,
      ),
    );
    expect(answer.status).toBe(403);
    expect(json(answer)).toMatchObject({
      code: "forbidden",
      results: [{ error: "the token writer may not write secret", code: "forbidden" }],
      version: null,
    });
    expect(served.node.transactions).toBe(0);
  });

  test("table_stats needs the right to read each table", async () => {
    const served = await start();
    const ask = async (tables: string[], secret: string) =>
      (
        await overHttp1(
          served,
          posted("/v1/table_stats", { tables }, { authorization: `Bearer ${secret}` }),
        )
      ).status;
    expect(await ask(["public"], reader.secret)).toBe(200);
    expect(await ask(["public", "secret"], reader.secret)).toBe(403);
    expect(await ask(["public", "secret"], all.secret)).toBe(200);
  });

  test("the node's own tables are for admins, and nobody writes them", async () => {
    const served = await start();
    const sql = "SELECT count(*) FROM patina_log";
    expect((await run(served, "/v1/queries", sql, all.secret)).status).toBe(403);
    expect((await run(served, "/v1/queries", sql, boss.secret)).status).toBe(200);
    for (const write of [
      "DELETE FROM patina_log",
      "INSERT INTO patina_state VALUES (1)",
      "UPDATE sqlite_schema SET sql = ''",
    ]) {
      const answer = await run(served, "/v1/transactions", write, boss.secret);
      expect([write, answer.status]).toEqual([write, 400]);
    }
  });

  test("what the inspecting build of SQLite does not understand needs rights for everything", async () => {
    const served = await start();
    const limited = "DELETE FROM public WHERE id = 7 LIMIT 1";
    expect((await run(served, "/v1/transactions", limited, writer.secret)).status).toBe(403);
    expect((await run(served, "/v1/transactions", limited, all.secret)).status).toBe(200);
    expect((await run(served, "/v1/queries", "SELECT soundex('a')", reader.secret)).status).toBe(
      403,
    );
    expect((await run(served, "/v1/queries", "SELECT soundex('a')", all.secret)).status).toBe(200);
  });

  test("a trigger that the inspecting build cannot make leaves writes to tokens for everything", async () => {
    const served = await start();
    // soundex() is in the build that holds the data alone.
    served.node.claimedSchema = [...schema, "CREATE INDEX alike ON secret (soundex(v))"];
    const sql = "INSERT INTO public VALUES (1, 2)";
    expect((await run(served, "/v1/transactions", sql, writer.secret)).status).toBe(403);
    expect((await run(served, "/v1/queries", "SELECT * FROM public", writer.secret)).status).toBe(
      200,
    );
    expect((await run(served, "/v1/transactions", sql, all.secret)).status).toBe(200);
  });

  test("a change of the schema changes what a statement needs", async () => {
    const served = await start();
    const sql = "INSERT INTO public VALUES (1, 2)";
    expect((await run(served, "/v1/transactions", sql, writer.secret)).status).toBe(200);
    served.node.migrate([
      ...schema,
      "CREATE TRIGGER copied AFTER INSERT ON public BEGIN INSERT INTO secret VALUES (new.id, new.v); END",
    ]);
    const next = "INSERT INTO public VALUES (2, 2)";
    expect((await run(served, "/v1/transactions", next, writer.secret)).status).toBe(403);
    expect((await run(served, "/v1/transactions", sql, writer.secret)).status).toBe(403);
    expect((await run(served, "/v1/transactions", next, all.secret)).status).toBe(200);
  });
});
