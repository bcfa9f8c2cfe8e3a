/** Members on TCP who do not speak the protocol: each ends its own connection, and nothing else. */
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import { encodeControl, protocolVersion } from "../../../runtime/net/control.ts";
import type { Control, Introduction } from "../../../runtime/net/control.ts";
import { recordHeader } from "../../../runtime/net/tcp/records.ts";
import { certificates, numbered, TestNodes, until } from "../../contract/transport-nodes.ts";
import type { TestNode } from "../../contract/transport-nodes.ts";

const nodes = new TestNodes("tcp");
afterEach(() => nodes.close());
const tls = await certificates();

async function member(node: TestNode): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: Number(node.address.split(":")[1]),
    ...tls,
    ALPNProtocols: ["patina/1"],
    checkServerIdentity: () => undefined,
  });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    socket.once("secureConnect", resolve);
  });
  return socket;
}

function frame(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function record(lane: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([recordHeader(lane, bytes.length), bytes]);
}

/** A member, but not the one that it says. */
const who: Introduction = {
  version: protocolVersion,
  clusterId: 7,
  address: "10.9.9.9:1" as Address,
  instance: "ab".repeat(16),
  resetToken: new Uint8Array(0),
};

describe("a member is cut off", () => {
  const ping = frame(encodeControl({ type: "ping" }));
  const said = (control: Control): Buffer => record(0, frame(encodeControl(control)));

  test.each([
    ["that speaks HTTP", Buffer.from("GET / HTTP/1.1\r\nhost: here\r\n\r\n")],
    ["that names a lane which there is not", record(9, Buffer.from("abc"))],
    ["that sends a record without bytes", recordHeader(1, 0)],
    ["that sends a record longer than allowed", recordHeader(1, 65_537)],
    ["that sends a datagram longer than allowed", recordHeader(15, 16_385)],
    ["that names a frame longer than allowed", record(1, Buffer.alloc(4, 0xff))],
    ["that names a control frame longer than allowed", record(0, Buffer.from([0, 0, 0xff, 0xff]))],
    ["that says what no program understands", record(0, frame(Buffer.from([99])))],
    ["that says bye before hello", said({ type: "bye", frames: 0 })],
    ["that welcomes whom it dialled", said({ type: "welcome", who })],
    ["that calls itself by another's address", said({ type: "hello", who, intent: "move" })],
    ["that asks for ever and reads nothing", record(0, Buffer.concat(Array(5000).fill(ping)))],
  ] as const)("%s", async (_, bytes) => {
    const a = await nodes.node();
    const socket = await member(a);
    let ended = false;
    socket.once("close", () => {
      ended = true;
    });
    socket.pause();
    socket.write(bytes);
    // What is not read until then keeps nobody waiting.
    const other = await nodes.node();
    other.transport.send(a.address, "gossip", true, numbered(1));
    await until("others are served", () => a.heard.length === 1);
    socket.resume();
    await until("it is cut off", () => ended);
    expect(a.heard).toHaveLength(1);
    expect(a.transport.stats().connections).toBe(1);
  });
});
