/** Signed versions on the network thread: what is checked before the replica sees it, and another key. */
import { CertificateError, readCertificate } from "../security/certificate-info.ts";
import { Sealing } from "../security/sealing.ts";
import { FreshActor, type SigningKey } from "../store-process/author-key.ts";
import type { Opened } from "../store-process/store-client.ts";
import type { NetOptions } from "./net-messages.ts";
import type { NodeParts } from "./net-requests.ts";

/** Null where versions are not signed. @throws CertificateError when the certificate cannot sign. */
export function signingKeyOf({ tls, sign, gossip }: NetOptions): SigningKey | null {
  if (tls === null || !sign) return null;
  const signing = { clusterId: gossip.clusterId, cert: tls.cert, key: tls.key };
  try {
    return new FreshActor(signing).credential.name === "" ? null : signing;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new CertificateError(
      `${error.message}; make one with patina tls node, or set gossip.sign to false`,
    );
  }
}

/** @param parts of the node; its replica and transport may come later. */
export function makeSealing(
  parts: NodeParts,
  signing: SigningKey,
  ca: string,
  opened: Opened,
): Sealing {
  return new Sealing({
    clusterId: signing.clusterId,
    cluster: readCertificate(signing.cert).cluster,
    ca,
    credentials: opened.credentials,
    nowMs: () => performance.now(),
    deliver: ({ address }, channel, bytes, more) =>
      parts.host?.message(address, channel, bytes, more),
    rejected: ({ address, name }, why, count) => {
      parts.reports.rareLog("warn", "what no signature proves was turned away", {
        from: address,
        name,
        why,
        count,
      });
    },
    others: () => {
      const swim = parts.host?.replica.membership.stats();
      return swim === undefined ? 0 : swim.alive + swim.suspect - 1;
    },
    send: (to, bytes) => parts.transport?.send(to, "host", true, bytes),
    save: (key, credential) => {
      void parts.store?.call({ type: "saveCredential", key, credential });
    },
  });
}

/** Signs with another key from now on. @returns why not; null: it does. */
export async function rotateSigning(
  parts: NodeParts,
  signing: SigningKey,
  ca: string,
): Promise<string | null> {
  const answer = await parts.store?.call({ type: "rekey", signing });
  if (answer?.type === "rekeyed") {
    parts.sealing?.adopt(ca, answer.credential);
    return null;
  }
  const why = answer?.type === "failed" ? answer.why : "the store is closed";
  return `the new certificate does not sign, the old one goes on: ${why}`;
}
