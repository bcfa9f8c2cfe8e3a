/** Whose a database's actor is, and the key that signs for it from now on. */
import { randomBytes, type X509Certificate } from "node:crypto";
import type { ActorId } from "../../core/base/ids.ts";
import { parseCertificate } from "../security/certificate-info.ts";
import {
  actorOf,
  type Credential,
  makeCredential,
  ownershipOf,
  privateKeyFor,
  saltBytes,
} from "../security/credentials.ts";
import { Signer } from "../security/signing.ts";
import { StoreOpenError } from "../store/open-database.ts";
import type { NodeStore } from "./node-store.ts";

/** PEM texts of the node's certificate and key, and the cluster that versions are signed for. */
export interface SigningKey {
  readonly clusterId: number;
  readonly cert: string;
  readonly key: string;
}

/** @throws CertificateError when the key is not the certificate's */
export function checkSigningKey({ cert, key }: SigningKey): void {
  privateKeyFor(parseCertificate(cert), key);
}

/** An actor that nobody has been yet, and that belongs to the name in the certificate. */
export class FreshActor {
  readonly actor: ActorId;
  readonly credential: Credential;

  /** @throws CertificateError */
  constructor(signing: SigningKey) {
    this.credential = makeCredential(
      signing.clusterId,
      parseCertificate(signing.cert),
      randomBytes(saltBytes),
    );
    this.actor = actorOf(signing.clusterId, this.credential.name, this.credential.salt);
  }
}

/** What comes of a database's actor under this certificate. */
export type Binding =
  /** It signs as this actor from now on. */
  | { readonly type: "bound" }
  /** It is to be opened again under the fresh actor: what it wrote so far is another's, or nothing. */
  | { readonly type: "renew"; readonly why: string };

/**
 * Has the store sign what it writes. @param fresh what was offered when it was opened.
 * @throws StoreOpenError for a database that wrote without signatures.
 */
export function bindActor(
  store: NodeStore,
  path: string,
  signing: SigningKey,
  fresh: FreshActor,
): Binding {
  const certificate = parseCertificate(signing.cert);
  if (store.actor === fresh.actor) {
    useKey(store, signing, certificate, fresh.credential, true);
    return { type: "bound" };
  }
  const own = ownershipOf(signing.clusterId, store.actor, certificate, store.credentials());
  switch (own.type) {
    case "owned":
      useKey(store, signing, certificate, own.credential, own.fresh);
      return { type: "bound" };
    case "renamed":
      return { type: "renew", why: `its certificate named it ${own.name} before` };
    case "unproven":
      if (nothingUnsigned(store)) return { type: "renew", why: "nothing was written yet" };
      throw new StoreOpenError(
        `${path} holds versions without signatures, which nodes that check them refuse: set gossip.sign to false in the whole cluster, or begin with an empty file and insert the rows again`,
      );
  }
}

/** Where it wrote nothing itself and knows credentials, it is one that signs: its peers' versions are signed. */
function nothingUnsigned(store: NodeStore): boolean {
  const holdings = store.holdings();
  if (holdings.length === 0) return true;
  return store.credentials().length > 0 && holdings.every(({ actor }) => actor !== store.actor);
}

/**
 * Another certificate for the same name. @returns its credential, which others will ask for.
 * @throws StoreOpenError when the certificate is another node's.
 */
export function rekey(store: NodeStore, signing: SigningKey): Uint8Array {
  const certificate = parseCertificate(signing.cert);
  const own = ownershipOf(signing.clusterId, store.actor, certificate, store.credentials());
  if (own.type !== "owned") {
    throw new StoreOpenError(
      "the certificate names another node than the one whose versions this node has signed; a new name takes effect at the next start",
    );
  }
  useKey(store, signing, certificate, own.credential, own.fresh);
  return own.credential.bytes;
}

function useKey(
  store: NodeStore,
  signing: SigningKey,
  certificate: X509Certificate,
  credential: Credential,
  save: boolean,
): void {
  const privateKey = privateKeyFor(certificate, signing.key);
  if (save) store.saveCredential(Buffer.from(credential.keyId, "hex"), credential.bytes);
  store.setSealer(new Signer(signing.clusterId, { privateKey, publicKey: credential.publicKey }));
}
