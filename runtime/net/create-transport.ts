/** Opens the transport of a node: which carriers, at which port, with which certificates. */
import { isIP } from "node:net";
import { address } from "../../core/base/ids.ts";
import { CertificateError } from "../security/certificate-info.ts";
import { formatHostPort, isLoopback, isUnspecified, parseHostPort } from "./address.ts";
import type { HostPort } from "./address.ts";
import { addressRefusal, Credentials } from "./credentials.ts";
import { NodeTransport } from "./node-transport.ts";
import type { RotatingCarrier } from "./node-transport.ts";
import type { CarrierOwner } from "./pipe.ts";
import { TcpCarrier } from "./tcp/tcp-carrier.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/** The transport cannot be opened as asked; the message says why and what to do. */
export class TransportError extends Error {
  override name = "TransportError";
}

/** Ports tried when one must be free for UDP and TCP alike. */
const portAttempts = 20;

/** @throws TransportError, CertificateError. */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { tls } = options;
  const credentials = tls === null ? null : new Credentials(tls, Date.now());
  const listen = listenAddress(options);
  if (credentials === null && options.plaintextAnywhere !== true && !isLoopback(listen.host)) {
    throw new TransportError(
      `without TLS a node listens on loopback only, not on ${listen.host}: make certificates with "patina tls", or force plaintext`,
    );
  }
  const transport = await openTransport(options, credentials);
  try {
    checkAdvertised(options.advertise ?? transport.listening, credentials);
  } catch (error) {
    await transport.close(0);
    throw error;
  }
  return transport;
}

/** As `createTransport`, without asking whether others will like what this node says and shows. */
export async function openTransport(
  options: TransportOptions,
  credentials: Credentials | null,
  load: LoadQuic = loadQuic,
): Promise<Transport> {
  const listen = listenAddress(options);
  // Carriers need somebody to report to before the transport knows its port.
  const owner = new LateOwner();
  const carriers = await openCarriers(options, listen, owner, credentials, load);
  const { port } = carriers[0] as RotatingCarrier;
  const listening = address(formatHostPort(listen.host, port));
  const advertise = options.advertise ?? listening;
  const transport = new NodeTransport({
    listening,
    advertise,
    clusterId: options.clusterId,
    events: options.events,
    credentials,
    parse: (tls) => {
      const fresh = new Credentials(tls, Date.now());
      checkAdvertised(advertise, fresh);
      return fresh;
    },
    plaintextAnywhere: options.plaintextAnywhere === true,
  });
  owner.set(transport);
  transport.start(carriers);
  return transport;
}

function listenAddress(options: TransportOptions): HostPort {
  const listen = parseHostPort(options.listen);
  if (listen !== null) return listen;
  throw new TransportError(
    `cannot listen on ${JSON.stringify(options.listen)}: it is no host:port`,
  );
}

function checkAdvertised(advertise: string, credentials: Credentials | null): void {
  const parsed = parseHostPort(advertise);
  if (parsed === null || parsed.port === 0) {
    throw new TransportError(`${JSON.stringify(advertise)} is no host:port that peers could dial`);
  }
  if (isUnspecified(parsed.host)) {
    throw new TransportError(
      `peers cannot dial ${advertise}: say under which address they reach this node (external_addr)`,
    );
  }
  const refusal = credentials === null ? null : addressRefusal(credentials.certificate, advertise);
  if (refusal !== null) throw new CertificateError(`peers would turn this node away: ${refusal}`);
}

async function openCarriers(
  options: TransportOptions,
  listen: HostPort,
  owner: CarrierOwner,
  credentials: Credentials | null,
  load: LoadQuic,
): Promise<readonly RotatingCarrier[]> {
  const host = isIP(listen.host) === 0 ? await resolved(listen.host) : listen.host;
  const tcp = (port: number): Promise<RotatingCarrier> =>
    TcpCarrier.listen(host, port, owner, credentials);
  try {
    if (credentials === null || options.kind === "tcp") return [await tcp(listen.port)];
    const loaded = await quicOrWhy(load);
    if ("why" in loaded) {
      if (options.kind === "quic") {
        throw new Error(`${loaded.why}; set gossip.transport to "tcp" or "auto"`);
      }
      options.withoutQuic?.(loaded.why);
      return [await tcp(listen.port)];
    }
    const quic = (port: number): Promise<RotatingCarrier> =>
      loaded.QuicCarrier.listen(host, port, owner, credentials, options.maxPacketBytes);
    if (options.kind === "quic") return [await quic(listen.port)];
    return await openBoth(quic, tcp, listen.port);
  } catch (error) {
    throw new TransportError(
      `cannot listen on ${options.listen}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

type QuicModule = typeof import("./quic/quic-carrier.ts");
export type LoadQuic = () => Promise<QuicModule>;

/** Loaded only where it is wanted: its native part is not there for every platform. */
export const loadQuic: LoadQuic = () => import("./quic/quic-carrier.ts");

async function quicOrWhy(load: LoadQuic): Promise<QuicModule | { readonly why: string }> {
  try {
    return await load();
  } catch (error) {
    // The first line says what could not be found; the others, where it was looked for.
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { why: `the QUIC module cannot be loaded here (${first})` };
  }
}

type Open = (port: number) => Promise<RotatingCarrier>;

/** Both at the same port number. A free one for UDP may be taken for TCP: then another is tried. */
async function openBoth(quic: Open, tcp: Open, port: number): Promise<readonly RotatingCarrier[]> {
  for (let attempt = 1; ; attempt++) {
    const first = await quic(port);
    try {
      return [first, await tcp(first.port)];
    } catch (error) {
      await first.close();
      if (port !== 0 || attempt === portAttempts) throw error;
    }
  }
}

async function resolved(host: string): Promise<string> {
  const { lookup } = await import("node:dns/promises");
  try {
    return (await lookup(host)).address;
  } catch {
    throw new TransportError(`cannot listen on ${host}: the name is not known`);
  }
}

class LateOwner implements CarrierOwner {
  #owner: CarrierOwner | null = null;

  set(owner: CarrierOwner): void {
    this.#owner = owner;
  }

  accepted(...args: Parameters<CarrierOwner["accepted"]>): ReturnType<CarrierOwner["accepted"]> {
    return this.#owner?.accepted(...args) ?? null;
  }

  rejected(from: string, why: string): void {
    this.#owner?.rejected(from, why);
  }

  stray(): void {
    this.#owner?.stray();
  }

  handshakeRefused(from: string, why: string): void {
    this.#owner?.handshakeRefused(from, why);
  }

  get behind(): boolean {
    return this.#owner?.behind ?? false;
  }
}
