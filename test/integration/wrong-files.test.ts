/** Certificates, keys and schema files that do not fit: said in one line, before anything is begun. */
import { copyFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Finished, patina, temporaryFolder } from "./patina-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

interface Files {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly schema?: string;
}

/** Runs a command on a configuration with these files. Nothing listens long: it is to end by itself. */
function run(args: readonly string[], files: Files): Promise<Finished> {
  const { ca = "certs/ca.pem", cert = "certs/a.pem", key = "certs/a.key" } = files;
  writeFileSync(
    folder.path("node.toml"),
    `[db]
path = "state.db"
schema_paths = ["${files.schema ?? "schema.sql"}"]
[gossip]
addr = "127.0.0.1:0"
[gossip.tls]
ca_file = "${ca}"
cert_file = "${cert}"
key_file = "${key}"
[api]
addr = "127.0.0.1:0"
`,
  );
  return patina([...args, "-c", folder.path("node.toml")], { cwd: folder.path(".") });
}

async function tls(dir: string, ...rest: readonly string[]): Promise<void> {
  const [verb, ...more] = rest as [string, ...string[]];
  const { status, stderr } = await patina(["tls", verb, "--dir", folder.path(dir), ...more]);
  expect([status, stderr]).toEqual([0, expect.any(String)]);
}

beforeAll(async () => {
  for (const dir of ["certs", "others"]) {
    await tls(dir, "init", "--cluster", dir);
    await tls(dir, "node", "--name", "a", "--address", "127.0.0.1");
  }
  await tls("certs", "node", "--name", "b", "--address", "127.0.0.1");
  await tls("certs", "node", "--name", "far", "--address", "10.0.0.1");
  writeFileSync(folder.path("schema.sql"), "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY);");
  writeFileSync(folder.path("keyless.sql"), "CREATE TABLE t (a INT);");
  writeFileSync(folder.path("letter.pem"), "Dear node,\n");
});

test.each<[string, Files, number, RegExp]>([
  ["a certificate that is none", { cert: "letter.pem" }, 3, /tls\.cert_file: .*letter\.pem: .*no/],
  ["an authority that is none", { ca: "letter.pem" }, 3, /tls\.ca_file: .*letter\.pem: .*no/],
  ["a key that is none", { key: "letter.pem" }, 3, /tls\.key_file: .*letter\.pem: .*not/],
  ["another's key", { cert: "certs/b.pem" }, 3, /tls\.key_file: .*a\.key: .*does not belong/],
  ["another authority's", { ca: "others/ca.pem" }, 3, /tls\.cert_file: .*not of this cluster's/],
  ["one for another address", { cert: "certs/far.pem", key: "certs/far.key" }, 3, /covers 10\.0/],
  ["a file that is not there", { cert: "certs/c.pem" }, 3, /cert_file: .*there is no such file/],
  ["a table without a key", { schema: "keyless.sql" }, 7, /keyless\.sql:1: .*no primary key/],
])("%s is refused by config check and by the node alike", async (_what, files, code, why) => {
  for (const command of [["config", "check"], ["agent"]]) {
    const { status, stderr } = await run(command, files);
    expect([status, stderr]).toEqual([code, expect.stringMatching(why)]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
  }
});

test("a key of another certificate leaves the database as it was", async () => {
  expect((await run(["config", "check"], {})).status).toBe(0);
  copyFileSync(folder.path("certs/b.key"), folder.path("wrong.key"));
  expect((await run(["agent"], { key: "wrong.key" })).status).toBe(3);
  const doctor = await run(["doctor"], { key: "wrong.key" });
  expect([doctor.status, doctor.stdout]).toEqual([1, expect.stringContaining("does not belong")]);
});

test("the version is told", async () => {
  expect(await patina(["--version"])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});
