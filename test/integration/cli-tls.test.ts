/** Certificates made, kept and replaced on the command line. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runCommandLine } from "../../runtime/cli/program.ts";
import {
  coversHost,
  parseCertificate,
  refusalOf,
} from "../../runtime/security/certificate-info.ts";
import { makeAuthority } from "../../runtime/security/certificates.ts";
import { patina, printedJson, temporaryFolder } from "./patina-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
beforeAll(async () => {
  const { cert, key } = await makeAuthority({ cluster: "prod", nowMs: Date.now() });
  for (const [dir, pem] of [
    ["good", cert],
    ["broken", "no certificate"],
  ] as const) {
    mkdirSync(folder.path(dir));
    writeFileSync(folder.path(`${dir}/ca.pem`), pem);
    writeFileSync(folder.path(`${dir}/ca.key`), key);
  }
});
const text = (path: string): string => readFileSync(folder.path(path), "utf8");

test("an authority, two nodes and a new certificate for one of them", async () => {
  const dir = folder.path("certs");
  const init = await patina(["tls", "init", "--dir", dir, "--cluster", "prod", "--json"]);
  expect(printedJson(init)).toMatchObject({ cluster: "prod", cert: `${dir}/ca.pem` });
  const node = async (name: string, address: string): Promise<Record<string, unknown>> =>
    printedJson(
      await patina(["tls", "node", "--dir", dir, "--name", name, "--address", address, "--json"]),
    );
  const made = await node("a", "127.0.0.1,[::1],a.example.org,127.0.0.1");
  expect(made).toMatchObject({
    name: "a",
    cluster: "prod",
    addresses: ["127.0.0.1", "::1", "a.example.org"],
  });
  await node("b", "10.0.0.2");
  expect(statSync(folder.path("certs/a.key")).mode & 0o777).toBe(0o600);
  expect(statSync(folder.path("certs/ca.key")).mode & 0o777).toBe(0o600);

  const before = text("certs/a.pem");
  const rotated = await patina(["tls", "rotate", "--dir", dir, "--name", "a", "--days", "30"]);
  expect(rotated).toMatchObject({ status: 0, stdout: `${dir}/a.pem\n${dir}/a.key\n` });
  const after = parseCertificate(text("certs/a.pem"));
  expect(text("certs/a.pem")).not.toBe(before);
  expect(statSync(folder.path("certs/a.key")).mode & 0o777).toBe(0o600);
  for (const host of ["127.0.0.1", "::1", "a.example.org"]) {
    expect(coversHost(after, host)).toBe(true);
  }
  expect(refusalOf(after, [parseCertificate(text("certs/ca.pem"))], Date.now())).toBeNull();
});

test("OpenSSL finds nothing wrong with them", async () => {
  const dir = folder.path("openssl");
  await patina(["tls", "init", "--dir", dir, "--cluster", "prod"]);
  await patina(["tls", "node", "--dir", dir, "--name", "a", "--address", "127.0.0.1"]);
  const words = `verify -x509_strict -purpose sslserver -verify_ip 127.0.0.1 -CAfile ${dir}/ca.pem ${dir}/a.pem`;
  const checked = await promisify(execFile)("openssl", words.split(" ")).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) =>
      // A machine without OpenSSL's program has nothing to say about it.
      error.code === "ENOENT" ? { stdout: ": OK" } : { stdout: String(error.stderr) },
  );
  expect(checked.stdout).toMatch(/: OK/);
});

test("nothing is overwritten unasked", async () => {
  const dir = folder.path("kept");
  const init = ["tls", "init", "--dir", dir, "--cluster", "prod"];
  await patina(init);
  const key = text("kept/ca.key");
  const again = await patina(init);
  expect(again.status).toBe(2);
  expect(again.stderr).toContain("is there already");
  expect(text("kept/ca.key")).toBe(key);
  expect((await patina([...init, "--force"])).status).toBe(0);
  expect(text("kept/ca.key")).not.toBe(key);
});

test.each([
  [["init", "--dir", "x"], "--cluster"],
  [["init", "--dir", "x", "--cluster", ""], "a cluster's name has"],
  [["node", "--dir", "empty", "--name", "a", "--address", "::1"], "patina tls init"],
  [["node", "--dir", "good", "--name", "../a", "--address", "::1"], "a node's name"],
  [["node", "--dir", "good", "--name", "ca", "--address", "::1"], "the authority's"],
  [["node", "--dir", "good", "--name", "a", "--address", "10.0.0.1:8787"], "without a port"],
  [["node", "--dir", "good", "--name", "a", "--address", "a b"], "neither an IP address nor"],
  [["node", "--dir", "good", "--name", "a", "--address", ","], "at least one address"],
  [["node", "--dir", "broken", "--name", "a", "--address", "::1"], "is not a PEM certificate"],
  [["rotate", "--dir", "good", "--name", "nobody"], "patina tls node"],
])("what cannot be done is said in one line, and exits with 2: %j", async (words, why) => {
  const there = words.map((word, i) => (words[i - 1] === "--dir" ? folder.path(word) : word));
  // In this process: starting another for each takes longer than all the rest.
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    expect(await runCommandLine(["tls", ...there])).toBe(2);
    expect(stderr.mock.calls.flat().join("")).toContain(why);
  } finally {
    stderr.mockRestore();
  }
});
