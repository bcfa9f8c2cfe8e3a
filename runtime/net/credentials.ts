/** This node's certificates, and what it demands of others'. */
import { createPrivateKey } from "node:crypto";
import type { X509Certificate } from "node:crypto";
import {
  CertificateError,
  coversHost,
  describeCertificate,
  parseCertificate,
  parseCertificates,
  refusalOf,
} from "../security/certificate-info.ts";
import { parseHostPort } from "./address.ts";
import type { TransportTls } from "./transport.ts";

export class Credentials {
  readonly tls: TransportTls;
  readonly certificate: X509Certificate;
  readonly authorities: readonly X509Certificate[];
  readonly cluster: string;

  /** @throws CertificateError when the three do not belong together, or do not convince others at `nowMs`. */
  constructor(tls: TransportTls, nowMs: number) {
    this.authorities = named("the authority's certificate", () => parseCertificates(tls.ca));
    // Files that were joined without an end of line between them are read by us, but not by all.
    this.tls = { ...tls, ca: this.authorities.map((one) => one.toString()).join("") };
    this.certificate = named("the node's certificate", () => parseCertificate(tls.cert));
    const key = named("the node's key", () => {
      try {
        return createPrivateKey(tls.key);
      } catch {
        throw new CertificateError("it is not a private key in PEM");
      }
    });
    if (!this.certificate.checkPrivateKey(key)) {
      throw new CertificateError("the node's key does not belong to its certificate");
    }
    const refusal = refusalOf(this.certificate, this.authorities, nowMs);
    if (refusal !== null) throw new CertificateError(`no peer would accept this node: ${refusal}`);
    this.cluster = describeCertificate(this.certificate).cluster;
  }

  /** Why a peer with this certificate is turned away, or null. */
  refusal(certificate: X509Certificate, nowMs: number): string | null {
    const refusal = refusalOf(certificate, this.authorities, nowMs);
    if (refusal !== null) return refusal;
    const { cluster } = describeCertificate(certificate);
    return cluster === this.cluster
      ? null
      : `its certificate names the cluster ${JSON.stringify(cluster)}, not ${JSON.stringify(this.cluster)}`;
  }
}

/** Why a certificate does not prove that its holder may be called by `address`, or null. */
export function addressRefusal(certificate: X509Certificate, address: string): string | null {
  const parsed = parseHostPort(address);
  if (parsed === null) return `it calls itself ${JSON.stringify(address)}, which is no host:port`;
  if (coversHost(certificate, parsed.host)) return null;
  const { name, hosts } = describeCertificate(certificate);
  return `it calls itself ${address}, but its certificate (${name}) covers ${hosts.join(", ")} only`;
}

function named<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CertificateError) {
      throw new CertificateError(`${what}: ${error.message}`);
    }
    throw error;
  }
}
