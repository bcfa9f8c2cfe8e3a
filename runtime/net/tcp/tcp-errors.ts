/** Errors of sockets and of TLS as a person can read them. */

const ours = "turned away: ";
const theirs = "it turned this node away: ";

/** It went away; nobody turned it away. */
const broke = "the connection broke";

const system: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: broke,
  EPIPE: broke,
  ENETUNREACH: "there is no way to its network",
  EHOSTUNREACH: "there is no way to it",
  ETIMEDOUT: "no answer",
};

/** What OpenSSL finds wrong with the other side's certificate. */
const verification: Readonly<Partial<Record<string, string>>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "there is no certificate",
  ERR_SSL_CERTIFICATE_VERIFY_FAILED: "the certificate was not accepted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is not of the cluster's authority",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is not of the cluster's authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is not of the cluster's authority",
  UNABLE_TO_GET_ISSUER_CERT: "the certificate is not of the cluster's authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate is not of the cluster's authority",
  CERT_SIGNATURE_FAILURE: "the certificate is not of the cluster's authority",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
};

export function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  // Alerts that the other side sent: ERR_SSL_TLSV1_ALERT_UNKNOWN_CA and the like.
  if (code.startsWith("ERR_SSL_TLSV1") || code.startsWith("ERR_SSL_SSLV3")) {
    if (code.endsWith("UNKNOWN_CA")) return `${theirs}the certificate is not of its authority`;
    if (code.endsWith("EXPIRED")) return `${theirs}the certificate has expired or is not valid yet`;
    if (code.endsWith("CERTIFICATE_REQUIRED")) return `${theirs}there is no certificate`;
    return theirs + code;
  }
  const verified = verification[code];
  if (verified !== undefined) return ours + verified;
  return code.startsWith("ERR_SSL") ? ours + code : (system[code] ?? `${code}: ${error.message}`);
}

/** Whether the other side went away, as who dials does when another way was faster, or when it has waited long enough. */
export function wentAway(reason: string): boolean {
  return reason === broke;
}

/** Whether it was this side that refused the other. */
export function turnedAway(reason: string): boolean {
  return reason.startsWith(ours);
}
