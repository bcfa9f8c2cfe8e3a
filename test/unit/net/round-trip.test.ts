/** What QUIC takes for the round trip, on which its search for lost packets depends. */
import { describe, expect, onTestFinished, test } from "vitest";
import { laneOf } from "../../../runtime/net/pipe.ts";
import { dialledId, hintedBytes } from "../../../runtime/net/quic/connection-id.ts";
import type { QuicCarrier } from "../../../runtime/net/quic/quic-carrier.ts";
import type { QuicPipe } from "../../../runtime/net/quic/quic-pipe.ts";
import type { Address } from "../../../core/base/ids.ts";
import { pause, until } from "../../contract/transport-nodes.ts";
import { credentials, quicCarrier, refusing, silent } from "./quic-carriers.ts";
import { rawMember } from "./raw-member.ts";
import { udpProxy } from "./udp-proxy.ts";

const gossipLane = laneOf("gossip");
/** The accepting side's stream of that lane. */
const gossipStream = 7;

function listener(accepted: (pipe: QuicPipe) => void): Promise<QuicCarrier> {
  return quicCarrier({
    ...refusing,
    accepted(pipe) {
      accepted(pipe as QuicPipe);
      return silent;
    },
  });
}

describe("on a connection of short packets to a node that could send long ones", () => {
  // 262 s were seen after 298 s, where a ping took 1 ms: see `connection-id.ts`.
  test("the round trip does not grow with the connection's age, though it began slowly", async () => {
    let accepted: QuicPipe | null = null;
    const there = await listener((pipe) => {
      accepted = pipe;
    });
    const here = await quicCarrier(refusing, 1452);
    const proxy = await udpProxy(`127.0.0.1:${there.port}` as Address);
    onTestFinished(() => proxy.close());
    proxy.delayMs = 60;
    const dialled = here.dial("127.0.0.1", Number(proxy.address.split(":")[1]), silent);
    await until("they are connected", () => dialled.opened && accepted !== null);
    const pipe = accepted as unknown as QuicPipe;
    expect(pipe.rttMs).toBeGreaterThan(50);
    proxy.delayMs = 0;
    for (let i = 0; i < 60; i++) {
      for (const end of [dialled, pipe]) end.datagram(Buffer.from([1, i]));
      await pause(50);
    }
    // It came to 2,600 ms.
    expect(pipe.rttMs).toBeLessThan(600);
    expect(pipe.packetBytes).toBe(1452);
  });
});

test("a lost last packet is sent again at once where QUIC's round trip is far too long", async () => {
  let accepted: QuicPipe | null = null;
  const there = await listener((pipe) => {
    accepted = pipe;
  });
  // Its id promises long packets, and it then takes short ones.
  const member = await rawMember(there.port, {
    credentials,
    packetBytes: 1452,
    id: dialledId(16_383),
    handshakeDelayMs: 60,
  });
  onTestFinished(() => member.close());
  await until("it is let in", () => accepted !== null);
  const pipe = accepted as unknown as QuicPipe;
  const startMs = performance.now();
  while ((pipe.rttMs ?? 0) < 2500) {
    member.connection.dgramSend(Buffer.from([1]));
    member.flush();
    pipe.datagram(Buffer.from([1]));
    await pause(50);
    expect(performance.now() - startMs).toBeLessThan(30_000);
  }
  await pause(100);
  const looks = setInterval(() => there.look(), 1000);
  onTestFinished(() => clearInterval(looks));
  member.losing = true;
  pipe.write(gossipLane, Buffer.from("the last"));
  await until("it got lost", () => member.lost > 0);
  member.losing = false;
  const sinceMs = performance.now();
  await until("it came", () => member.read(gossipStream).endsWith("the last"));
  // QUIC's own timer is longer than its round trip, which is more than 2.5 s.
  expect(performance.now() - sinceMs).toBeLessThan(3000);
});

test("a dialling node's id tells how long its packets will be, or a little less", () => {
  for (const [packetBytes, told] of [
    [16_383, 16_383],
    [9000, 8952],
    [8952, 8952],
    [4000, 1452],
    [1452, 1452],
    [1350, 1350],
    [1200, 1350],
  ] as const) {
    const ids = Array.from({ length: 50 }, () => dialledId(packetBytes));
    expect(new Set(ids.map(hintedBytes))).toEqual(new Set([told]));
    expect(new Set(ids.map(String)).size).toBe(50);
  }
  expect(hintedBytes(new Uint8Array(0))).toBe(1350);
});
