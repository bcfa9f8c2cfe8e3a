/** Nodes with transports on loopback, and what they heard, for tests. */
import type { Address } from "../../core/base/ids.ts";
import { createTransport, openTransport } from "../../runtime/net/create-transport.ts";
import { Credentials } from "../../runtime/net/credentials.ts";
import type {
  Channel,
  Transport,
  TransportOptions,
  TransportTls,
} from "../../runtime/net/transport.ts";
import { makeAuthority, makeNodeCertificate } from "../../runtime/security/certificates.ts";
import type { KeyAndCertificate } from "../../runtime/security/certificates.ts";
import { SimWorld } from "./sim-transport.ts";

const dayMs = 86_400_000;

export interface Heard {
  readonly from: string;
  readonly name: string | null;
  readonly channel: Channel;
  readonly bytes: Uint8Array;
}

export interface TestNode {
  readonly transport: Transport;
  readonly address: Address;
  readonly heard: Heard[];
  readonly unreachable: { readonly to: string; readonly channel: Channel; readonly why: string }[];
  readonly rejected: { readonly from: string; readonly why: string }[];
  readonly rtts: { readonly peer: string; readonly ms: number }[];
  readonly datagramBytes: number[];
  /** Called with each message, besides its being kept. */
  onMessage: ((heard: Heard) => void) | null;
}

export type TransportKind = "quic" | "tcp" | "plaintext" | "auto" | "sim";

export const authority = await makeAuthority({
  cluster: "test",
  nowMs: Date.now() - 1000 * dayMs,
});

export async function certificates(
  more: {
    readonly name?: string;
    readonly hosts?: readonly string[];
    readonly authority?: KeyAndCertificate;
    /** Days from now at which its year begins. */
    readonly fromDay?: number;
    /** Whom it trusts. */
    readonly trust?: string;
  } = {},
): Promise<TransportTls> {
  const made = await makeNodeCertificate({
    authority: more.authority ?? authority,
    name: more.name ?? "node",
    hosts: more.hosts ?? ["127.0.0.1", "localhost"],
    nowMs: Date.now() + (more.fromDay ?? 0) * dayMs,
  });
  return { ca: more.trust ?? authority.cert, ...made };
}

const shared = await certificates();

/** Opens nodes and closes those that are left at the end of a test. */
export class TestNodes {
  readonly #kind: TransportKind;
  readonly #open = new Set<Transport>();
  readonly #world = new SimWorld("contract");

  constructor(kind: TransportKind) {
    this.#kind = kind;
  }

  node(more: Partial<TransportOptions> = {}): Promise<TestNode> {
    const simulated = this.#kind === "sim";
    return this.#make(more, simulated ? (options) => this.#world.open(options) : createTransport);
  }

  /** One that does not ask whether others will accept it. @param day its idea of today, from now. */
  unchecked(more: Partial<TransportOptions>, day = 0): Promise<TestNode> {
    return this.#make(more, (options) =>
      openTransport(
        options,
        new Credentials(options.tls as TransportTls, Date.now() + day * dayMs),
      ),
    );
  }

  async #make(
    more: Partial<TransportOptions>,
    create: (options: TransportOptions) => Promise<Transport>,
  ): Promise<TestNode> {
    const heard: Heard[] = [];
    const node: Omit<TestNode, "transport" | "address"> = {
      heard,
      unreachable: [],
      rejected: [],
      rtts: [],
      datagramBytes: [],
      onMessage: null,
    };
    const kind = this.#kind;
    const transport = await create({
      listen: "127.0.0.1:0",
      clusterId: 7,
      tls: kind === "plaintext" || kind === "sim" ? null : shared,
      kind: kind === "plaintext" || kind === "sim" ? "tcp" : kind,
      events: {
        message(from, channel, bytes) {
          const message = { from: from.address, name: from.name, channel, bytes };
          heard.push(message);
          whole.onMessage?.(message);
        },
        unreachable: (to, channel, why) => node.unreachable.push({ to, channel, why }),
        rtt: (peer, ms) => node.rtts.push({ peer, ms }),
        datagramBytes: (bytes) => node.datagramBytes.push(bytes),
        rejected: (from, why) => node.rejected.push({ from, why }),
      },
      ...more,
    });
    this.#open.add(transport);
    const advertised = (more.advertise ?? transport.listening) as Address;
    const whole: TestNode = Object.assign(node, { transport, address: advertised });
    return whole;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((transport) => transport.close(0)));
    this.#open.clear();
  }
}

/** Waits until something is so; the time is long because the machine may be busy. */
export async function until(what: string, so: () => boolean, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!so()) {
    if (performance.now() > endMs) throw new Error(`it never came to this: ${what}`);
    await pause(2);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A message that says its number and has so many bytes. */
export function numbered(n: number, bytes = 8): Uint8Array {
  const message = new Uint8Array(Math.max(bytes, 4));
  new DataView(message.buffer).setUint32(0, n);
  for (let i = 4; i < message.length; i++) message[i] = (n + i) & 0xff;
  return message;
}

export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
}
