/** The client library, and the commands that use it, against a node's API. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashToken, createToken } from "../../../runtime/auth/token.ts";
import { PatinaClient } from "../../../runtime/client/client.ts";
import { PatinaError } from "../../../runtime/client/connection.ts";
import { server } from "./served.ts";

async function rejected(work: Promise<unknown>): Promise<PatinaError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PatinaError);
  return error as PatinaError;
}

describe("the client", () => {
  const start = server();

  test("writes and reads values of every class exactly", async () => {
    const { address } = await start();
    const client = new PatinaClient({ address });
    const values = [
      null,
      1,
      -1,
      2n ** 63n - 1n,
      1.5,
      { real: 1 },
      "text",
      "",
      new Uint8Array([0, 255]),
    ];
    const done = await client.transact(
      values.map((value, i) => ["INSERT INTO kv VALUES (?, ?)", [`${i}`, value]] as const),
    );
    expect(done).toMatchObject({ version: 1, results: values.map(() => ({ rows_affected: 1 })) });
    await client.transact([["INSERT INTO kv VALUES (:k, :v)", { ":k": "flag", ":v": true }]]);
    const rows = await client.query("SELECT v FROM kv ORDER BY rowid");
    expect(rows.columns).toEqual(["v"]);
    expect(await rows.all()).toEqual([...values, 1].map((value) => [value]));
    expect(rows.seconds).toBeGreaterThanOrEqual(0);
    client.close();
  });

  test("lets a query go that is not read to its end", async () => {
    const { address, node } = await start();
    const client = new PatinaClient({ address });
    const rows = await client.query(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
      { timeout: 0 },
    );
    for await (const [i] of rows) if (i === 100) break;
    while (node.openQueries > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    client.close();
  });

  test("tells what the node refuses, before the rows and amid them", async () => {
    const { address } = await start();
    const client = new PatinaClient({ address });
    const bad = await rejected(client.query("SELEC"));
    expect([bad.code, bad.status, bad.sqlite]).toEqual(["sql", 400, "SQLITE_ERROR"]);
    const ddl = await rejected(client.transact(["CREATE TABLE t (a)"]));
    expect([ddl.code, ddl.hint]).toEqual(["refused", expect.stringContaining("schema files")]);
    const rows = await client.query(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT CASE WHEN i < 250 THEN i ELSE json('x') END FROM n",
    );
    expect((await rejected(rows.all())).code).toBe("sql");
    client.close();
  });

  test("sends a transaction again when the answer is lost, and it runs once", async () => {
    const { address, node } = await start();
    const [host, port] = address.split(":") as [string, string];
    let lost = 0;
    // Cuts the connection after the node has done its work, twice.
    const proxy = createServer((request, response) => {
      const body: Buffer[] = [];
      request.on("data", (part: Buffer) => body.push(part));
      request.on("end", () => {
        void fetch(`http://${host}:${port}${request.url ?? ""}`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "idempotency-key": String(request.headers["idempotency-key"]),
          },
          body: Buffer.concat(body),
        })
          .then((answer) => answer.text())
          .then((text) => {
            if (lost++ < 2) request.socket.destroy();
            else response.end(text);
          });
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const bound = proxy.address() as { port: number };
    const client = new PatinaClient({ address: `127.0.0.1:${bound.port}` });
    const { version } = await client.transact(["INSERT INTO kv VALUES ('a', 1)"]);
    expect([version, lost, node.transactions]).toEqual([1, 3, 3]);
    expect(
      await (await client.query("SELECT count(*) FROM kv")).all().catch(() => "gone"),
    ).toBeDefined();
    client.close();
    proxy.close();
    proxy.closeAllConnections();
  });

  test("says so when no node is there, after its retries", async () => {
    const client = new PatinaClient({ address: "127.0.0.1:1", retries: 1 });
    const error = await rejected(client.status());
    expect([error.code, error.status]).toEqual(["unreachable", 0]);
    expect(() => new PatinaClient({ address: "http://" })).toThrow(PatinaError);
  });
});

const main = join(import.meta.dirname, "../../../runtime/cli/main.ts");

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe("the command line", () => {
  const { token, hash } = createToken();
  const tokens = [{ name: "boss", hash, read: ["*"], write: ["kv"], admin: false }];
  const start = server({ tokens });
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "patina-cli-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function patina(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return new Promise((resolve) => {
      const options = { cwd: folder, env: { ...process.env, NO_COLOR: "1", ...env } };
      execFile(process.execPath, [main, ...args], options, (error, out, err) => {
        resolve({ code: error === null ? 0 : (error.code as number), out, err });
      });
    });
  }

  test("exec and query, in each format", async () => {
    const { address } = await start();
    const env = { PATINA_API_ADDR: address, PATINA_TOKEN: token };
    const exec = (...args: string[]) => patina(["exec", ...args], env);
    const query = async (...args: string[]) => {
      const { code, out } = await patina(["query", ...args], env);
      return code === 0 ? out : `exit ${code}`;
    };
    expect(await exec("INSERT INTO kv VALUES (?, ?)", "a", "1.0")).toMatchObject({
      code: 0,
      out: "1 row affected, version 1\n",
    });
    const { out } = await exec(
      "--json",
      "INSERT INTO kv VALUES (?, ?), (?, NULL)",
      'b,"c"',
      "x'00ff'",
      "d",
    );
    expect(JSON.parse(out)).toMatchObject({ results: [{ rows_affected: 2 }], version: 2 });
    const sql = "SELECT k, v FROM kv ORDER BY k";
    expect(await query(sql)).toBe("a      1.0\nb,\"c\"  x'00ff'\nd      NULL\n");
    expect(await query("--columns", "--format", "csv", sql)).toBe(
      'k,v\na,1.0\n"b,""c""",x\'00ff\'\nd,\n',
    );
    expect(await query("--format", "ndjson", sql)).toBe(
      '{"k":"a","v":1.0}\n{"k":"b,\\"c\\"","v":[0,255]}\n{"k":"d","v":null}\n',
    );
    expect(JSON.parse(await query("--format", "json", sql))).toHaveLength(3);
    expect(await query("--json", "SELECT ?", "9223372036854775807")).toMatch(
      /^\{"columns":\["\?"\],"rows":\[\[9223372036854775807\]\],"time":/,
    );
  });

  test("exit codes tell why it did not work", async () => {
    const { address } = await start();
    const code = async (...args: string[]) => (await patina(args)).code;
    const at = ["--api-addr", address];
    const file = join(folder, "token");
    writeFileSync(file, `${token}\n`);
    expect(await code("status", ...at, "--token-file", file)).toBe(0);
    expect(await code("status", ...at)).toBe(5);
    expect(await code("query", ...at, "--token", "wrong", "SELECT 1")).toBe(5);
    expect(await code("exec", ...at, "--token", token, "CREATE TABLE t (a)")).toBe(1);
    expect(await code("exec", ...at, "--token", token, "DELETE FROM patina_log")).toBe(1);
    expect(await code("query", ...at, "--token", token, "SELECT * FROM patina_log")).toBe(5);
    expect(await code("status", "--api-addr", "127.0.0.1:1")).toBe(4);
    expect(await code("query", ...at, "--format", "xml", "SELECT 1")).toBe(2);
    expect(await code("status", ...at, "--token-file", join(folder, "none"))).toBe(2);
    expect(
      await code("exec", ...at, "--token", token, "--wait", "3", "INSERT INTO kv VALUES (1, 1)"),
    ).toBe(8);
    expect(await code("status", "-c", join(folder, "none.toml"))).toBe(3);
  });

  test("members, status and sync-state, as text and as JSON", async () => {
    const { address, node } = await start();
    const env = { PATINA_API_ADDR: address, PATINA_TOKEN: token };
    node.memberList = [
      {
        name: "ann",
        actorId: "a".repeat(32),
        addr: "10.0.0.1:1",
        state: "suspect",
        incarnation: 2,
        region: "",
        rttMs: 1.25,
      },
    ];
    expect((await patina(["members"], env)).out).toMatch(
      /^NAME +ADDR[^]*ann +10\.0\.0\.1:1 +suspect +2 +- +1\.3 ms/,
    );
    expect(JSON.parse((await patina(["members", "--json"], env)).out)).toMatchObject({
      members: [{ name: "ann", state: "suspect" }],
    });
    node.statusChanges = { counters: { transport_connections: 3, transport_tcp_connections: 1 } };
    const { out } = await patina(["status"], env);
    expect(out).toContain("small (ready)");
    expect(out).toMatch(/^connections +3, 1 of them over TCP$/m);
    expect(JSON.parse((await patina(["status", "--json"], env)).out)).toMatchObject({ gaps: 0 });
    expect(JSON.parse((await patina(["sync-state", "--json"], env)).out)).toMatchObject({
      heads: { [node.actorId]: 0 },
      gaps: 0,
    });
  });

  test("a token is made without a node, listed, and revoked in its file", async () => {
    const made = await patina([
      "token",
      "create",
      "deployer",
      "--read",
      "*",
      "--write",
      "kv,services",
      "--json",
    ]);
    const told = JSON.parse(made.out) as { token: string; hash: string };
    expect(told).toMatchObject({
      name: "deployer",
      read: ["*"],
      write: ["kv", "services"],
      admin: false,
    });
    expect(hashToken(told.token)).toBe(told.hash);
    const plain = await patina(["token", "create", "boss", "--admin"]);
    expect(plain.out).toMatch(/^patina_[\w-]{43}\n$/);
    expect(plain.err).not.toContain(plain.out.trim());
    const file = join(folder, "patina.toml");
    writeFileSync(file, `[api]\naddr = "127.0.0.1:8080"\n\n${made.err}\n${plain.err}`);
    expect((await patina(["token", "list"])).out).toMatch(
      /deployer +\* +kv,services +no\nboss +- +- +yes\n/,
    );
    const { out } = await patina(["token", "list", "--json", "-c", file]);
    expect(JSON.parse(out)).toMatchObject({
      tokens: [{ name: "deployer", hash: told.hash }, { name: "boss" }],
    });
    expect((await patina(["token", "revoke", "nobody", "-c", file])).code).toBe(6);
    expect((await patina(["token", "revoke", "deployer", "-c", file])).code).toBe(0);
    expect(readFileSync(file, "utf8")).not.toContain("deployer");
    expect((await patina(["token", "list"])).out).toMatch(/^NAME[^\n]*\nboss/);
  });
});
