/** Packets without end that mean nothing: of strangers in a handshake, and of members after it. */
import { randomBytes } from "node:crypto";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { Credentials } from "../../../runtime/net/credentials.ts";
import { maxHandshakeBytes, maxIdleBytes } from "../../../runtime/net/quic/meaning.ts";
import { certificates, numbered, TestNodes, until } from "../../contract/transport-nodes.ts";
import type { TestNode } from "../../contract/transport-nodes.ts";
import { rawMember } from "./raw-member.ts";
import type { RawMember } from "./raw-member.ts";

const nodes = new TestNodes("quic");
const credentials = new Credentials(await certificates(), Date.now());
afterEach(() => nodes.close());

async function attack(node: TestNode): Promise<RawMember> {
  const made = await rawMember(Number(node.address.split(":")[1]), {
    credentials,
    packetBytes: 16_000,
    id: randomBytes(8),
    handshakeDelayMs: 0,
  });
  onTestFinished(() => made.close());
  return made;
}

async function takesOthers(node: TestNode): Promise<void> {
  const other = await nodes.node();
  other.transport.send(node.address, "gossip", true, numbered(1));
  await until("others are served", () => node.heard.length === 1);
}

test("a handshake that never stops is ended", async () => {
  const a = await nodes.node();
  const stranger = await attack(a);
  // It reads no answer, and says the same again and again.
  stranger.losing = true;
  const first = stranger.sent[0] as Buffer;
  let bytes = 0;
  const flood = setInterval(() => {
    for (let i = 0; i < 10; i++) stranger.send(first);
    bytes += 10 * first.length;
  }, 1);
  onTestFinished(() => clearInterval(flood));
  await until("it is told", () => a.rejected.some(({ why }) => /handshake takes/.test(why)));
  expect(bytes).toBeGreaterThan(maxHandshakeBytes);
  expect(a.transport.stats().handshakesRefused).toBeGreaterThan(0);
  await takesOthers(a);
});

test("a member that sends what means nothing is cut off", async () => {
  const a = await nodes.node();
  const member = await attack(a);
  await until("it is let in", () => member.connection.isEstablished());
  member.connection.dgramSend(randomBytes(15_000));
  member.flush();
  const long = member.sent.at(-1) as Buffer;
  expect(long.length).toBeGreaterThan(15_000);
  let bytes = 0;
  const flood = setInterval(() => {
    for (let i = 0; i < 20; i++) member.send(long);
    bytes += 20 * long.length;
  }, 1);
  onTestFinished(() => clearInterval(flood));
  await until("it is cut off", () => member.connection.peerError() !== null);
  expect(Buffer.from(member.connection.peerError()?.reason ?? []).toString()).toMatch(/no meaning/);
  expect(bytes).toBeGreaterThan(maxIdleBytes);
  await takesOthers(a);
});
