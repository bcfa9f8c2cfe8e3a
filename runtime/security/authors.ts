/** Whose keys are known: credentials proven against the cluster's authority, and those asked for. */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { ActorId } from "../../core/base/ids.ts";
import { CertificateError, parseCertificates } from "./certificate-info.ts";
import { type Credential, parseCredential, tryParse } from "./credentials.ts";

/**
 * Credentials of one node's name: it gets one with each new certificate and each time it begins
 * under a new actor. Past this bound further ones are refused, so that one hostile member cannot
 * fill everybody's memory with actors of its own.
 */
export const maxCredentialsPerName = 1024;

export interface Author {
  readonly actor: ActorId;
  readonly name: string;
  readonly publicKey: KeyObject;
}

export type Learnt =
  | { readonly type: "learnt"; readonly credential: Credential }
  | { readonly type: "known"; readonly credential: Credential }
  | { readonly type: "refused"; readonly why: string };

export interface AuthorsOptions {
  readonly clusterId: number;
  /** The cluster's name, as its certificates say it. */
  readonly cluster: string;
  /** PEM of one or more authorities. @throws CertificateError */
  readonly ca: string;
}

export class Authors {
  readonly #options: AuthorsOptions;
  #authorities: readonly X509Certificate[];
  readonly #byKey = new Map<string, Credential>();
  readonly #names = new Map<string, number>();

  constructor(options: AuthorsOptions) {
    this.#options = options;
    this.#authorities = parseCertificates(options.ca);
  }

  /** Other authorities vouch from now on; who is known stays so. @throws CertificateError */
  trust(ca: string): void {
    this.#authorities = parseCertificates(ca);
  }

  get size(): number {
    return this.#byKey.size;
  }

  find(keyId: string): Author | undefined {
    return this.#byKey.get(keyId);
  }

  /** What proves a key, for those who ask; undefined when it is not known here. */
  credential(keyId: string): Uint8Array | undefined {
    return this.#byKey.get(keyId)?.bytes;
  }

  /** Takes credentials of the database; those of an authority that is trusted no more stay unused. */
  load(stored: readonly Uint8Array[]): void {
    for (const bytes of stored) {
      const credential = tryParse(this.#options.clusterId, bytes);
      if (credential !== null) this.#add(credential);
    }
  }

  /** Takes what a peer says. That a certificate has expired since does not undo what it signed. */
  learn(bytes: Uint8Array): Learnt {
    let credential: Credential;
    try {
      credential = parseCredential(this.#options.clusterId, bytes);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return { type: "refused", why: error.message };
    }
    if (this.#byKey.has(credential.keyId)) return { type: "known", credential };
    const why = this.#add(credential);
    return why === null ? { type: "learnt", credential } : { type: "refused", why };
  }

  /** Why it proves nothing, or null when it was added. */
  #add(credential: Credential): string | null {
    const { certificate, cluster, name, keyId } = credential;
    if (cluster !== this.#options.cluster) return "its certificate is of another cluster";
    const issued = this.#authorities.some(
      (ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
    );
    if (!issued) return "its certificate is not of this cluster's authority";
    if (certificate.ca) return "its certificate is an authority's and no node's";
    const known = this.#names.get(name) ?? 0;
    if (known >= maxCredentialsPerName) return `${name} has too many credentials`;
    this.#names.set(name, known + 1);
    this.#byKey.set(keyId, credential);
    return null;
  }
}
