/**
 * What hosts say to each other about keys, on the channel beside the protocol's planes: who meets a
 * key that it does not know asks the peer that it has the version from, which was once told itself.
 * As in each message of that channel, byte 0 is the channel's version and byte 1 the kind.
 */
import { Reader } from "../../core/wire/reader.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import { Writer } from "../../core/wire/writer.ts";
import { maxCredentialBytes } from "./credentials.ts";

const channelVersion = 1;
/** Kinds 1 and 2 are those of `runtime/agent/host-messages.ts`. */
export const credentialKinds = { wanted: 3, credentials: 4 } as const;

/** Keys in one message. */
export const maxKeysAsked = 64;

export type CredentialMessage =
  /** Ids of keys, 16 hex digits each. */
  | { readonly type: "wanted"; readonly keyIds: readonly string[] }
  | { readonly type: "credentials"; readonly credentials: readonly Uint8Array[] };

export function encodeWanted(keyIds: readonly string[]): Uint8Array {
  const w = new Writer(16 + 8 * keyIds.length);
  w.u8(channelVersion);
  w.u8(credentialKinds.wanted);
  const asked = keyIds.slice(0, maxKeysAsked);
  w.varint(asked.length);
  for (const keyId of asked) w.raw(Buffer.from(keyId, "hex"));
  return w.finish();
}

export function encodeCredentials(credentials: readonly Uint8Array[]): Uint8Array {
  const w = new Writer(1024);
  w.u8(channelVersion);
  w.u8(credentialKinds.credentials);
  w.varint(credentials.length);
  for (const bytes of credentials) w.bytes(bytes);
  return w.finish();
}

/** Null when the bytes are no such message. */
export function decodeCredentialMessage(bytes: Uint8Array): CredentialMessage | null {
  const r = new Reader(bytes);
  try {
    if (r.u8() !== channelVersion) return null;
    switch (r.u8()) {
      case credentialKinds.wanted: {
        const keyIds: string[] = [];
        for (let left = r.count(8, maxKeysAsked); left > 0; left--) {
          keyIds.push(Buffer.from(r.raw(8)).toString("hex"));
        }
        return { type: "wanted", keyIds };
      }
      case credentialKinds.credentials: {
        const credentials: Uint8Array[] = [];
        for (let left = r.count(1, maxKeysAsked); left > 0; left--) {
          credentials.push(r.bytes(maxCredentialBytes).slice());
        }
        return { type: "credentials", credentials };
      }
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
