/**
 * Makes the certificates of a cluster: one authority, and one certificate a node, all with Ed25519
 * keys (RFC 8410). The cluster's name stands in O, a node's name in CN, and the addresses at which a
 * node may be dialled in the subject's alternative names. The key of a node also signs its changes.
 *
 * Reading certificates needs none of this: see `certificate-info.ts`.
 */
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { CertificateError } from "./certificate-info.ts";

/** PEM texts; the key as PKCS #8. */
export interface KeyAndCertificate {
  readonly cert: string;
  readonly key: string;
}

export const caDays = 3652;
export const nodeDays = 365;

const dayMs = 86_400_000;
/** Clocks of other nodes may be behind: a new certificate is valid at once everywhere. */
const backdatedMs = 3_600_000;
/** A name that travels between nodes; RFC 5280 would allow one more (ub-common-name). */
const maxNameLength = 63;
const ed25519 = { name: "Ed25519" } as const;
const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const hostPattern =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/i;
const controlPattern = /\p{Cc}/u;

/** `nowMs`: since 1970. @throws CertificateError when the name is not fit for a certificate. */
export async function makeAuthority(options: {
  readonly cluster: string;
  readonly nowMs: number;
  readonly days?: number;
}): Promise<KeyAndCertificate> {
  const { cluster, nowMs } = options;
  if (cluster.length === 0 || cluster.length > maxNameLength || controlPattern.test(cluster)) {
    throw new CertificateError(`a cluster's name has 1 to ${maxNameLength} printable characters`);
  }
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(),
      name: new Name([{ O: [cluster] }, { CN: ["Patina cluster authority"] }]),
      notBefore: new Date(nowMs - backdatedMs),
      notAfter: new Date(nowMs + (options.days ?? caDays) * dayMs),
      keys,
      signingAlgorithm: ed25519,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcryptoApi),
      ],
    },
    webcryptoApi,
  );
  return { cert: `${certificate.toString("pem")}\n`, key: await privatePem(keys) };
}

/**
 * `hosts`: IP addresses and DNS names, at least one. The cluster is the authority's.
 * @throws CertificateError when a name or the authority is not usable.
 */
export async function makeNodeCertificate(options: {
  readonly authority: KeyAndCertificate;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly nowMs: number;
  readonly days?: number;
}): Promise<KeyAndCertificate> {
  const { authority, name, hosts, nowMs } = options;
  if (!nodeNamePattern.test(name) || name.length > maxNameLength) {
    throw new CertificateError(
      `a node's name has 1 to ${maxNameLength} letters, digits, ".", "_" and "-" and begins with a letter or digit, not ${JSON.stringify(name)}`,
    );
  }
  if (hosts.length === 0) throw new CertificateError("a node has at least one address");
  const { issuer, signingKey } = await openAuthority(authority);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject: new Name([{ O: issuer.subjectName.getField("O").slice(0, 1) }, { CN: [name] }]),
      issuer: issuer.subjectName,
      notBefore: new Date(nowMs - backdatedMs),
      notAfter: new Date(
        Math.min(nowMs + (options.days ?? nodeDays) * dayMs, issuer.notAfter.getTime()),
      ),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ed25519,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension(hosts.map(alternativeName)),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcryptoApi),
        await AuthorityKeyIdentifierExtension.create(issuer, false, webcryptoApi),
      ],
    },
    webcryptoApi,
  );
  return { cert: `${certificate.toString("pem")}\n`, key: await privatePem(keys) };
}

/** The library's types are the browser's; Node.js's own are the same in all that is used. */
const webcryptoApi = webcrypto as unknown as Crypto;
type KeyPair = { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };

function alternativeName(host: string): { readonly type: "ip" | "dns"; readonly value: string } {
  if (isIP(host) !== 0) return { type: "ip", value: host };
  if (!hostPattern.test(host)) {
    throw new CertificateError(
      `${JSON.stringify(host)} is neither an IP address nor a DNS name (without a port)`,
    );
  }
  return { type: "dns", value: host };
}

async function openAuthority(
  authority: KeyAndCertificate,
): Promise<{ readonly issuer: X509Certificate; readonly signingKey: CryptoKey }> {
  let issuer: X509Certificate;
  let signingKey: CryptoKey;
  try {
    issuer = new X509Certificate(authority.cert);
  } catch {
    throw new CertificateError("the authority's certificate is not a PEM certificate");
  }
  try {
    const der = PemConverter.decodeFirst(authority.key);
    signingKey = await webcryptoApi.subtle.importKey("pkcs8", der, ed25519, false, ["sign"]);
  } catch {
    throw new CertificateError("the authority's key is not an Ed25519 key in PKCS #8 PEM");
  }
  const probe = randomBytes(16);
  const signature = await webcryptoApi.subtle.sign(ed25519, signingKey, probe);
  const publicKey = await issuer.publicKey.export(ed25519, ["verify"], webcryptoApi);
  if (!(await webcryptoApi.subtle.verify(ed25519, publicKey, signature, probe))) {
    throw new CertificateError("the authority's key does not belong to its certificate");
  }
  return { issuer, signingKey };
}

async function newKeys(): Promise<KeyPair> {
  return (await webcryptoApi.subtle.generateKey(ed25519, true, ["sign", "verify"])) as KeyPair;
}

async function privatePem(keys: KeyPair): Promise<string> {
  const der = await webcryptoApi.subtle.exportKey("pkcs8", keys.privateKey);
  return `${PemConverter.encode(der, PemConverter.PrivateKeyTag)}\n`;
}

/** RFC 5280, section 4.1.2.2: positive, at most 20 bytes. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
