/** The ways in: several addresses, TLS with ALPN, certificates that change, the address for metrics. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ListenError, startApi } from "../../../runtime/api/server.ts";
import { PatinaClient } from "../../../runtime/client/client.ts";
import { silentLog } from "../../../runtime/observe/logger.ts";
import { NodeMetrics } from "../../../runtime/observe/metrics.ts";
import { createToken } from "../../../runtime/auth/token.ts";
import {
  type KeyAndCertificate,
  makeAuthority,
  makeNodeCertificate,
} from "../../../runtime/security/certificates.ts";
import { defaultConfig, kv, overHttp1, server } from "./served.ts";
import { SmallNode } from "./small-node.ts";

describe("several addresses", () => {
  const start = server();

  test("all of them answer", async () => {
    const served = await start({ addrs: ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"] });
    expect(served.api.addresses).toHaveLength(3);
    for (const address of served.api.addresses) {
      expect((await fetch(`http://${address}/livez`)).status).toBe(200);
    }
  });

  test("one that is taken is told with what to do, and frees the others", async () => {
    const served = await start();
    const node = new SmallNode([kv]);
    const metrics = new NodeMetrics();
    const config = { ...defaultConfig, addrs: ["127.0.0.3:0", served.address] };
    const failed = startApi({ service: node, config, log: silentLog, metrics });
    await expect(failed).rejects.toThrow(ListenError);
    await expect(failed).rejects.toThrow(/in use/);
    metrics.close();
    node.close();
  });
});

describe("the address for metrics", () => {
  test("needs no token, and has nothing else", async () => {
    const node = new SmallNode([kv]);
    const metrics = new NodeMetrics();
    const { hash } = createToken();
    const tokens = [{ name: "x", hash, read: [], write: [], admin: false }];
    const config = { ...defaultConfig, tokens };
    const api = await startApi({
      service: node,
      config,
      log: silentLog,
      metrics,
      metricsAddr: "127.0.0.1:0",
    });
    const answer = await fetch(`http://${api.metricsAddress}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining("patina_gaps 0\n"),
    ]);
    expect((await fetch(`http://${api.metricsAddress}/v1/status`)).status).toBe(404);
    expect((await fetch(`http://${api.addresses[0] ?? ""}/metrics`)).status).toBe(401);
    await api.close(0);
    metrics.close();
    node.close();
  });
});

describe("TLS", () => {
  let folder = "";
  let authority: KeyAndCertificate;
  let first: KeyAndCertificate;
  const make = (name: string): Promise<KeyAndCertificate> =>
    makeNodeCertificate({ authority, name, hosts: ["127.0.0.1"], nowMs: Date.now() });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "patina-tls-"));
    authority = await makeAuthority({ cluster: "test", nowMs: Date.now() });
    first = await make("first");
    put(first);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function put({ cert, key }: KeyAndCertificate): void {
    writeFileSync(join(folder, "api.pem"), cert);
    writeFileSync(join(folder, "api.key"), key);
  }

  const start = server();
  let files: { readonly certFile: string; readonly keyFile: string };
  const startPlain = server();
  const startTls = () => {
    files = { certFile: join(folder, "api.pem"), keyFile: join(folder, "api.key") };
    return start({ tls: files });
  };

  test("speaks HTTP/1.1 and HTTP/2 by ALPN", async () => {
    const { address, node } = await startTls();
    const status = await new Promise<number>((resolve, reject) => {
      get(`https://${address}/livez`, { ca: authority.cert, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on("error", reject);
    });
    expect(status).toBe(200);
    const session = connect(`https://${address}`, { ca: authority.cert });
    const http2 = await new Promise<unknown>((resolve, reject) => {
      session.on("error", reject);
      session
        .request({ ":path": "/livez" })
        .on("response", (headers) => resolve(headers[":status"]))
        .end();
    });
    expect([http2, session.alpnProtocol]).toEqual([200, "h2"]);
    session.close();
    const client = new PatinaClient({ address: `https://${address}`, ca: authority.cert });
    await client.transact(["INSERT INTO kv VALUES (1, 1)"]);
    expect(node.transactions).toBe(1);
    client.close();
  });

  test("plain HTTP at its port ends without an answer, and harms nothing", async () => {
    const served = await startTls();
    await expect(overHttp1(served, { path: "/livez" })).rejects.toThrow();
    const client = new PatinaClient({ address: `https://${served.address}`, ca: authority.cert });
    expect((await client.status()).name).toBe("small");
    client.close();
  });

  test("who does not know the authority, or the scheme, is told what to do", async () => {
    const served = await startTls();
    const why = async (address: string): Promise<string> => {
      const client = new PatinaClient({ address, retries: 0 });
      try {
        await client.status();
        return "nothing";
      } catch (error) {
        const { message, hint } = error as { message: string; hint: string | null };
        return `${message} (${hint})`;
      } finally {
        client.close();
      }
    };
    const untrusted = await why(`https://${served.address}`);
    expect(untrusted).toMatch(/its certificate is not trusted: .*--api-ca FILE/);
    expect(untrusted).not.toMatch(/Node\.js/);
    const plain = await startPlain();
    const scheme = await why(`https://${plain.address}`);
    expect(scheme).toMatch(/does not speak https:\/\/ there \(perhaps http:\/\/ is meant\)$/);
  });

  test("a reload shows the certificate that is in the file now to new connections", async () => {
    const { address, api } = await startTls();
    expect(await commonName(address)).toBe("first");
    put(await make("second"));
    expect(await commonName(address)).toBe("first");
    api.reloadTls(files);
    expect(await commonName(address)).toBe("second");
    put(first);
  });
});

function commonName(address: string): Promise<string> {
  const [host, port] = address.split(":") as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false }, () => {
      const { subject }: PeerCertificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(subject.CN));
    });
    socket.on("error", reject);
  });
}
