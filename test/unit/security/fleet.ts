/** Nodes of a cluster with certificates and keys, as the tests of signatures need them. */
import { X509Certificate } from "node:crypto";
import { randomBytes } from "node:crypto";
import type { ActorId } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import {
  type KeyAndCertificate,
  makeAuthority,
  makeNodeCertificate,
} from "../../../runtime/security/certificates.ts";
import {
  type Credential,
  makeCredential,
  privateKeyFor,
} from "../../../runtime/security/credentials.ts";
import { Signer } from "../../../runtime/security/signing.ts";

export const clusterId = 7;
export const clusterName = "test";
const nowMs = Date.now();

export interface Fleet {
  readonly authority: KeyAndCertificate;
  /** A node with a certificate of this authority; the same salt gives the same actor. */
  node(name: string, salt?: Uint8Array, ofCluster?: number): Promise<SigningNode>;
}

export interface SigningNode {
  readonly name: string;
  readonly actor: ActorId;
  readonly credential: Credential;
  readonly signer: Signer;
  readonly tls: KeyAndCertificate;
  /** Its next versions, one chunk each. */
  write(versions: number, payload?: Uint8Array): Chunk[];
}

export async function makeFleet(cluster = clusterName): Promise<Fleet> {
  const authority = await makeAuthority({ cluster, nowMs });
  return {
    authority,
    async node(name, salt = randomBytes(16), ofCluster = clusterId) {
      const tls = await makeNodeCertificate({ authority, name, hosts: ["127.0.0.1"], nowMs });
      const certificate = new X509Certificate(tls.cert);
      const credential = makeCredential(ofCluster, certificate, salt);
      const privateKey = privateKeyFor(certificate, tls.key);
      const signer = new Signer(ofCluster, { privateKey, publicKey: certificate.publicKey });
      const { actor } = credential;
      let head = 0;
      const write = (versions: number, payload = Uint8Array.of(1, 2, 3)): Chunk[] =>
        Array.from({ length: versions }, () =>
          sealed(signer, {
            actor,
            version: ++head,
            index: 0,
            count: 1,
            hlc: { ms: nowMs + head, counter: 0 },
            payload,
          }),
        );
      return { name, actor, credential, signer, tls, write };
    },
  };
}

export function sealed(signer: Signer, chunk: Chunk): Chunk {
  return { ...chunk, seal: signer.seal(chunk) };
}
