/** What a certificate says and proves. Reading needs no more than `node:crypto`. */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** A certificate or key that is not usable; the message says what is wrong with it, and names no file. */
export class CertificateError extends Error {
  override name = "CertificateError";
}

export interface CertificateInfo {
  /** CN: of a node, its name. */
  readonly name: string;
  /** O: the cluster's name. */
  readonly cluster: string;
  /** IP addresses and DNS names that it covers. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly expiresMs: number;
  /** SHA-256 of the certificate, 64 hex digits. */
  readonly fingerprint: string;
  readonly isAuthority: boolean;
}

/** An operator hears of a certificate that ends within this time. */
export const expiryWarningMs = 30 * 86_400_000;

/** @throws CertificateError when `text` (PEM or DER) is no certificate. */
export function parseCertificate(text: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new CertificateError("it is not a certificate in PEM");
  }
}

/** The first certificate in `text`. @throws CertificateError when there is none. */
export function readCertificate(text: string | Uint8Array): CertificateInfo {
  return describeCertificate(parseCertificate(text));
}

export function describeCertificate(certificate: X509Certificate): CertificateInfo {
  return {
    name: subjectField(certificate, "CN"),
    cluster: subjectField(certificate, "O"),
    hosts: alternativeNames(certificate),
    notBeforeMs: Date.parse(certificate.validFrom),
    expiresMs: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    isAuthority: certificate.ca,
  };
}

/** Whether the certificate may speak for this host, an IP address or a DNS name without a port. */
export function coversHost(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.checkHost(host, { subject: "never" }) !== undefined;
}

/** Why the certificate proves nothing under these authorities at this time, or null when it does. */
export function refusalOf(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): string | null {
  const issuer = authorities.find(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  if (issuer === undefined) return "its certificate is not of this cluster's authority";
  for (const [which, one] of [
    ["its certificate", certificate],
    ["the authority's certificate", issuer],
  ] as const) {
    if (nowMs < Date.parse(one.validFrom)) return `${which} is not valid yet`;
    if (nowMs > Date.parse(one.validTo)) return `${which} has expired`;
  }
  return null;
}

/** All certificates of a PEM text, in order. @throws CertificateError when there is none. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (blocks === null) throw new CertificateError("it holds no certificate in PEM");
  return blocks.map(parseCertificate);
}

function subjectField(certificate: X509Certificate, field: "CN" | "O"): string {
  const value: unknown = (certificate.toLegacyObject().subject as Partial<Record<string, unknown>>)[
    field
  ];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : "";
}

function alternativeNames(certificate: X509Certificate): string[] {
  const text = certificate.subjectAltName;
  if (text === undefined) return [];
  return text.split(", ").flatMap((entry) => {
    const [, value] = /^(?:DNS|IP Address):(.+)$/.exec(entry) ?? [];
    if (value === undefined) return [];
    // The shortest form, as people write it: OpenSSL spells out every zero.
    return isIP(value) === 6 ? [new URL(`http://[${value}]`).hostname.slice(1, -1)] : [value];
  });
}
