/** Certificates of a cluster: what they say, whom they convince, and when they no longer do. */
import { createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  coversHost,
  parseCertificate,
  readCertificate,
  refusalOf,
} from "../../../runtime/security/certificate-info.ts";
import { makeAuthority, makeNodeCertificate } from "../../../runtime/security/certificates.ts";

const nowMs = Date.UTC(2030, 0, 1);
const dayMs = 86_400_000;
const authority = await makeAuthority({ cluster: "payments: eu/1", nowMs });
const node = await makeNodeCertificate({
  authority,
  name: "iad-1",
  hosts: ["10.0.0.1", "::1", "seed.example.org"],
  nowMs,
});

describe("what a certificate says", () => {
  test("the authority has the cluster's name and lasts ten years", () => {
    const info = readCertificate(authority.cert);
    expect(info).toMatchObject({ cluster: "payments: eu/1", isAuthority: true, hosts: [] });
    expect(info.expiresMs).toBe(nowMs + 3652 * dayMs);
  });

  test("a node has its name, its cluster's, its addresses, and lasts a year", () => {
    const info = readCertificate(node.cert);
    expect(info).toMatchObject({
      name: "iad-1",
      cluster: "payments: eu/1",
      isAuthority: false,
      hosts: ["10.0.0.1", "::1", "seed.example.org"],
      expiresMs: nowMs + 365 * dayMs,
    });
    expect(info.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a node's certificate does not outlive the authority's", async () => {
    const short = await makeAuthority({ cluster: "short", nowMs, days: 10 });
    const made = await makeNodeCertificate({ authority: short, name: "a", hosts: ["::1"], nowMs });
    expect(readCertificate(made.cert).expiresMs).toBe(nowMs + 10 * dayMs);
  });

  test("keys are Ed25519 and belong to their certificates", () => {
    const key = createPrivateKey(node.key);
    expect(key.asymmetricKeyType).toBe("ed25519");
    expect(parseCertificate(node.cert).checkPrivateKey(key)).toBe(true);
  });
});

describe("what a certificate proves", () => {
  const certificate = parseCertificate(node.cert);
  const authorities = [parseCertificate(authority.cert)];

  test.each([
    ["10.0.0.1", true],
    ["::1", true],
    ["0:0:0:0:0:0:0:1", true],
    ["seed.example.org", true],
    ["SEED.example.org", true],
    ["10.0.0.2", false],
    ["::2", false],
    ["example.org", false],
    ["iad-1", false],
  ])("whether it covers %s: %s", (host, covered) => {
    expect(coversHost(certificate, host)).toBe(covered);
  });

  test("its own authority vouches for it, another of the same name does not", async () => {
    expect(refusalOf(certificate, authorities, nowMs)).toBeNull();
    const other = await makeAuthority({ cluster: "payments: eu/1", nowMs });
    expect(refusalOf(certificate, [parseCertificate(other.cert)], nowMs)).toMatch(/authority/);
  });

  test("it proves nothing before its time, nor after it", () => {
    expect(refusalOf(certificate, authorities, nowMs - dayMs)).toMatch(/not valid yet/);
    expect(refusalOf(certificate, authorities, nowMs + 366 * dayMs)).toMatch(/expired/);
  });
});

describe("what cannot be made", () => {
  const make = (more: object): Promise<unknown> =>
    makeNodeCertificate({ authority, name: "a", hosts: ["::1"], nowMs, ...more });

  test.each([
    [{ name: "" }, /name/],
    [{ name: "../a" }, /name/],
    [{ name: "a".repeat(65) }, /name/],
    [{ hosts: [] }, /address/],
    [{ hosts: ["10.0.0.1:8787"] }, /without a port/],
    [{ hosts: ["a b"] }, /neither an IP address nor a DNS name/],
    [{ authority: { cert: "x", key: authority.key } }, /certificate is not/],
    [{ authority: { cert: authority.cert, key: "x" } }, /key is not/],
    [{ authority: { cert: authority.cert, key: node.key } }, /does not belong/],
  ])("%j", async (more, why) => {
    await expect(make(more)).rejects.toThrow(why);
  });

  test("a cluster without a name", async () => {
    await expect(makeAuthority({ cluster: "", nowMs })).rejects.toThrow(/name/);
  });
});
