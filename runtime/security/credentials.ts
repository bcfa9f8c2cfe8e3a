/**
 * Credentials: what proves that a key signs for an actor. A certificate of the cluster's authority
 * names a node and holds its key; an actor id is a hash over cluster, the node's name and a salt. So
 * an actor belongs to one name for ever, and a new key for that name is one more credential.
 *
 * Bytes of a credential: format (1), salt (16), the certificate (DER).
 */
import { createHash, createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { type ActorId, actorId } from "../../core/base/ids.ts";
import { CertificateError, describeCertificate, parseCertificate } from "./certificate-info.ts";
import { keyIdOf } from "./signing.ts";

const format = 1;
export const saltBytes = 16;
const certificateAt = 1 + saltBytes;
/** Certificates of `patina tls` have some 500 bytes; one with thirty host names has 2 KiB. */
export const maxCredentialBytes = 8 * 1024;

export interface Credential {
  readonly bytes: Uint8Array;
  readonly salt: Uint8Array;
  readonly certificate: X509Certificate;
  /** The node's name in the certificate. */
  readonly name: string;
  /** The cluster's name in it. */
  readonly cluster: string;
  readonly actor: ActorId;
  /** 8 bytes as 16 hex digits. */
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** The actor that belongs to a node's name; another salt makes another one. */
export function actorOf(clusterId: number, name: string, salt: Uint8Array): ActorId {
  const cluster = Buffer.alloc(4);
  cluster.writeUInt32BE(clusterId);
  const digest = createHash("sha256")
    .update("patina actor\0")
    .update(cluster)
    .update(salt)
    .update(name, "utf8")
    .digest("hex");
  return actorId(digest.slice(0, 32));
}

/** @throws CertificateError when the certificate cannot vouch for signatures. */
export function makeCredential(
  clusterId: number,
  certificate: X509Certificate,
  salt: Uint8Array,
): Credential {
  const bytes = new Uint8Array(certificateAt + certificate.raw.length);
  bytes[0] = format;
  bytes.set(salt, 1);
  bytes.set(certificate.raw, certificateAt);
  return complete(clusterId, bytes, certificate);
}

/** Reads one, and proves nothing yet. @throws CertificateError */
export function parseCredential(clusterId: number, bytes: Uint8Array): Credential {
  if (bytes.length <= certificateAt || bytes.length > maxCredentialBytes || bytes[0] !== format) {
    throw new CertificateError("it is no credential");
  }
  return complete(clusterId, bytes, parseCertificate(bytes.subarray(certificateAt)));
}

function complete(clusterId: number, bytes: Uint8Array, certificate: X509Certificate): Credential {
  const { name, cluster } = describeCertificate(certificate);
  if (name === "") throw new CertificateError("its certificate names no node");
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType !== "ed25519") {
    throw new CertificateError(
      `its certificate has a key of type ${publicKey.asymmetricKeyType}; versions are signed with Ed25519`,
    );
  }
  const salt = bytes.subarray(1, certificateAt);
  const actor = actorOf(clusterId, name, salt);
  const keyId = keyIdOf(publicKey, actor).toString("hex");
  return { bytes, salt, certificate, name, cluster, actor, keyId, publicKey };
}

/** The private key that belongs to a certificate. @throws CertificateError */
export function privateKeyFor(certificate: X509Certificate, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new CertificateError("it is not a private key in PEM");
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new CertificateError("the key does not belong to the certificate");
  }
  return key;
}

/** How the actor of a database stands to the certificate that its node has now. */
export type Ownership =
  /** `fresh`: to be saved, since this certificate has not been used with the actor before. */
  | { readonly type: "owned"; readonly credential: Credential; readonly fresh: boolean }
  /** The actor belongs to another name: the node takes a new one, what it wrote stays proven. */
  | { readonly type: "renamed"; readonly name: string }
  /** Nothing proves whose the actor is: it wrote without signatures, if at all. */
  | { readonly type: "unproven" };

/** @param stored the credentials of the database; damaged ones prove nothing. */
export function ownershipOf(
  clusterId: number,
  actor: ActorId,
  certificate: X509Certificate,
  stored: readonly Uint8Array[],
): Ownership {
  const { name } = describeCertificate(certificate);
  let other: string | null = null;
  let salt: Uint8Array | null = null;
  for (const bytes of stored) {
    const known = tryParse(clusterId, bytes);
    if (known?.actor !== actor) continue;
    if (known.name !== name) other = known.name;
    else if (known.certificate.raw.equals(certificate.raw)) {
      return { type: "owned", credential: known, fresh: false };
    } else salt = known.salt;
  }
  if (salt !== null) {
    return { type: "owned", credential: makeCredential(clusterId, certificate, salt), fresh: true };
  }
  return other === null ? { type: "unproven" } : { type: "renamed", name: other };
}

export function tryParse(clusterId: number, bytes: Uint8Array): Credential | null {
  try {
    return parseCredential(clusterId, bytes);
  } catch (error) {
    if (error instanceof CertificateError) return null;
    throw error;
  }
}
