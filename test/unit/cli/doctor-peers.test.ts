/** What `patina doctor` says of the way to peers: what passes, and what to do where it does not. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { checkPeers } from "../../../runtime/cli/doctor-peers.ts";
import type { NodeConfig } from "../../../runtime/config/node-config.ts";
import { type TestNode, TestNodes } from "../../contract/transport-nodes.ts";

const nodes = new TestNodes("auto");
afterEach(() => nodes.close());

type Transport = NodeConfig["gossip"]["transport"];

/** @param transport null: plaintext. */
async function said(seed: string, transport: Transport | null): Promise<string[]> {
  const files = { caFile: "ca.pem", certFile: "n.pem", keyFile: "n.key" };
  const gossip = {
    addr: "127.0.0.1:1",
    externalAddr: null,
    bootstrap: [seed],
    tls: transport === null ? null : files,
    transport: transport ?? "auto",
  };
  const findings = await checkPeers({ gossip } as unknown as NodeConfig);
  return findings.map(({ verdict, what }) => `${verdict} ${what.replace(seed, "it")}`);
}

/** Takes UDP packets and answers none, as what a firewall drops. */
async function deaf(port: number): Promise<number> {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => {
    socket.bind(port, "127.0.0.1", resolve);
  });
  return socket.address().port;
}

const portOf = ({ address }: TestNode): number => Number(address.split(":")[1]);

describe("a node that runs", () => {
  test("answers over UDP and over TCP, and takes nobody for a stranger", async () => {
    const node = await nodes.node();
    expect(await said(node.address, "auto")).toEqual(["ok it: UDP passes, there and back"]);
    expect(await said(node.address, "quic")).toEqual(["ok it: UDP passes, there and back"]);
    expect(await said(node.address, "tcp")).toEqual(["ok it: TCP passes"]);
    expect(node.rejected).toEqual([]);
  });

  test("without TLS is asked over TCP, which it talks", async () => {
    const node = await nodes.node({ kind: "tcp", tls: null });
    expect(await said(node.address, null)).toEqual(["ok it: TCP passes"]);
    expect(node.rejected).toEqual([]);
  });

  test("that UDP does not reach: the port is to be opened for it", async () => {
    const node = await nodes.node({ kind: "tcp" });
    expect(await said(node.address, "auto")).toEqual([
      "warning it: TCP passes, UDP does not (nobody listens there): open the port for UDP; until then TCP is used",
    ]);
    await deaf(portOf(node));
    expect(await said(node.address, "auto")).toEqual([
      "warning it: TCP passes, UDP does not (no answer): open the port for UDP; until then TCP is used",
    ]);
    expect(await said(node.address, "quic")).toEqual([
      "warning it: no answer: does it run, and is the port open on the way?",
    ]);
  });
});

test("where nobody is, that is told, and what answers neither way", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { readonly port: number };
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const seed = `127.0.0.1:${port}`;
  for (const transport of ["auto", "quic", "tcp", null] as const) {
    expect(await said(seed, transport)).toEqual(["warning it: nobody listens there"]);
  }
  await deaf(port);
  expect(await said(seed, "auto")).toEqual([
    "warning it: no answer by UDP, nobody listens there by TCP: does it run, and is the port open on the way?",
  ]);
});
