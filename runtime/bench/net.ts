/**
 * `npm run bench net`: what the transports carry, side by side, with both ends in this process on
 * loopback. CPU time is that of both ends together, and depends less on what else the machine does.
 */
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import type { Address } from "../../core/base/ids.ts";
import { formatTable, median } from "../cli/format.ts";
import { createTransport } from "../net/create-transport.ts";
import type { Channel, Peer, Transport, TransportTls } from "../net/transport.ts";
import { makeAuthority, makeNodeCertificate } from "../security/certificates.ts";

const usage = `usage: npm run bench net -- [--quick]

  --quick  a tenth of everything
`;

type Kind = "quic" | "tcp" | "plaintext";
type OnMessage = (from: Peer, channel: Channel, bytes: Uint8Array) => void;

interface End {
  readonly transport: Transport;
  onMessage: OnMessage;
  datagramBytes: number;
}

interface Figure {
  readonly title: string;
  readonly digits: number;
  measure(kind: Kind, scale: number): Promise<number>;
}

const ignore = (): void => undefined;
let tls: TransportTls;

const figures: readonly Figure[] = [
  { title: "first message to a new peer, ms", digits: 1, measure: handshakeMs },
  { title: "datagram round trips/s, one at a time", digits: 0, measure: (k, s) => trips(k, s, 1) },
  { title: "datagram round trips/s, 50 at a time", digits: 0, measure: (k, s) => trips(k, s, 50) },
  {
    title: "  CPU µs a round trip",
    digits: 1,
    measure: (k, s) => cpuUs(() => trips(k, s, 50), s * 20_000),
  },
  {
    title: "messages of 100 bytes/s on a stream",
    digits: 0,
    measure: (k, s) => messages(k, s, 100),
  },
  {
    title: "  CPU µs a message",
    digits: 2,
    measure: (k, s) => cpuUs(() => messages(k, s, 100), s * 200_000),
  },
  { title: "MB/s in messages of 1 MiB", digits: 0, measure: (k, s) => megabytes(k, s) },
  {
    title: "  CPU ms a MB",
    digits: 2,
    measure: (k, s) => cpuUs(() => megabytes(k, s), s * 400 * 1.048_576).then((us) => us / 1000),
  },
  {
    title: "MB/s at most 1,350 bytes a packet",
    digits: 0,
    measure: (k, s) => (k === "quic" ? megabytes(k, s / 4, 1350) : Promise.resolve(Number.NaN)),
  },
  { title: "longest datagram, bytes", digits: 0, measure: longestDatagram },
  { title: "30 idle connections, % of a core", digits: 2, measure: idlePercent },
];

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stderr.write(usage);
    return;
  }
  const nowMs = Date.now();
  const authority = await makeAuthority({ cluster: "bench", nowMs });
  const made = await makeNodeCertificate({ authority, name: "bench", hosts: ["127.0.0.1"], nowMs });
  tls = { ca: authority.cert, ...made };
  const kinds: readonly Kind[] = ["quic", "tcp", "plaintext"];
  const lines: string[][] = [["", "QUIC", "TLS over TCP", "plaintext TCP"]];
  for (const figure of figures) {
    process.stderr.write(`${figure.title.trim()} …\n`);
    const line = [figure.title];
    for (const kind of kinds) {
      const value = await figure.measure(kind, values.quick ? 0.1 : 1);
      line.push(Number.isNaN(value) ? "–" : format(value, figure.digits));
    }
    lines.push(line);
  }
  process.stdout.write(`${formatTable(lines, ["left", "right", "right", "right"]).join("\n")}\n`);
}

function format(value: number, digits: number): string {
  return value.toLocaleString("en-US", {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
}

async function open(kind: Kind, maxPacketBytes?: number): Promise<End> {
  const events = {
    message: (from: Peer, channel: Channel, bytes: Uint8Array) =>
      end.onMessage(from, channel, bytes),
    unreachable: ignore,
    rtt: ignore,
    datagramBytes: (bytes: number) => {
      end.datagramBytes = bytes;
    },
    rejected: ignore,
  };
  const transport = await createTransport({
    listen: "127.0.0.1:0",
    clusterId: 0,
    tls: kind === "plaintext" ? null : tls,
    kind: kind === "quic" ? "quic" : "tcp",
    events,
    ...(maxPacketBytes === undefined ? {} : { maxPacketBytes }),
  });
  const end: End = { transport, onMessage: ignore, datagramBytes: 0 };
  return end;
}

/** Two ends that are connected. */
async function withPair<T>(
  kind: Kind,
  work: (a: End, b: End) => Promise<T>,
  maxPacketBytes?: number,
): Promise<T> {
  const [a, b] = [await open(kind, maxPacketBytes), await open(kind, maxPacketBytes)];
  try {
    await heard(b, 1, () =>
      a.transport.send(b.transport.listening, "host", true, new Uint8Array(1)),
    );
    return await work(a, b);
  } finally {
    await Promise.all([a.transport.close(1000), b.transport.close(1000)]);
  }
}

/** Waits until an end has heard so many messages after `begin`. */
async function heard(end: End, count: number, begin: () => void): Promise<void> {
  let left = count;
  await new Promise<void>((resolve) => {
    end.onMessage = () => {
      if (--left === 0) resolve();
    };
    begin();
  });
}

async function handshakeMs(kind: Kind, scale: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 40 * scale + 3; i++) {
    const [a, b] = [await open(kind), await open(kind)];
    const startMs = performance.now();
    await heard(b, 1, () =>
      a.transport.send(b.transport.listening, "gossip", true, new Uint8Array(100)),
    );
    times.push(performance.now() - startMs);
    await Promise.all([a.transport.close(0), b.transport.close(0)]);
  }
  return median(times);
}

/** Datagrams of 200 bytes to and fro; one that is lost is sent again after a while. */
function trips(kind: Kind, scale: number, atOnce: number): Promise<number> {
  const count = (atOnce === 1 ? 5000 : 20_000) * scale;
  return withPair(kind, async (a, b) => {
    const to = b.transport.listening;
    const from = a.transport.listening;
    const bytes = new Uint8Array(200);
    const send = (): void => a.transport.send(to, "swim", false, bytes);
    b.onMessage = (_peer, channel, message) => b.transport.send(from, channel, false, message);
    let done = 0;
    const startMs = performance.now();
    await new Promise<void>((resolve) => {
      let before = 0;
      const again = setInterval(() => {
        if (done === before) for (let i = 0; i < atOnce; i++) send();
        before = done;
      }, 200);
      a.onMessage = () => {
        if (++done < count) {
          send();
          return;
        }
        clearInterval(again);
        resolve();
      };
      for (let i = 0; i < atOnce; i++) send();
    });
    return (count * 1000) / (performance.now() - startMs);
  });
}

function messages(kind: Kind, scale: number, bytes: number): Promise<number> {
  const count = 200_000 * scale;
  return withPair(kind, async (a, b) => {
    const startMs = performance.now();
    await heard(b, count, () => feed(a.transport, b.transport.listening, count, bytes));
    return (count * 1000) / (performance.now() - startMs);
  });
}

function megabytes(kind: Kind, scale: number, packetBytes?: number): Promise<number> {
  const count = Math.ceil(400 * scale);
  return withPair(
    kind,
    async (a, b) => {
      const startMs = performance.now();
      await heard(b, count, () => feed(a.transport, b.transport.listening, count, 1 << 20));
      return (count * (1 << 20)) / 1000 / (performance.now() - startMs);
    },
    packetBytes,
  );
}

/** Sends as long as little waits, as a host does that minds back-pressure. */
function feed(transport: Transport, to: Address, count: number, bytes: number): void {
  let sent = 0;
  const step = (): void => {
    while (sent < count && transport.queuedBytes(to) < 8 << 20) {
      transport.send(to, "sync", true, new Uint8Array(bytes));
      sent++;
    }
    if (sent < count) setImmediate(step);
  };
  step();
}

async function cpuUs(work: () => Promise<unknown>, count: number): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function longestDatagram(kind: Kind): Promise<number> {
  return withPair(kind, async (a) => {
    await pause(100);
    return a.datagramBytes;
  });
}

async function idlePercent(kind: Kind, scale: number): Promise<number> {
  const hub = await open(kind);
  const others = await Promise.all(Array.from({ length: 30 }, () => open(kind)));
  for (const other of others) {
    await heard(other, 1, () =>
      hub.transport.send(other.transport.listening, "gossip", true, new Uint8Array(10)),
    );
  }
  await pause(3000 * scale);
  const startMs = performance.now();
  // Both ends of thirty connections: half of it is one node's.
  const us = await cpuUs(() => pause(10_000 * scale), 1);
  const percent = us / 10 / (performance.now() - startMs) / 2;
  await Promise.all([hub, ...others].map(({ transport }) => transport.close(0)));
  return percent;
}
