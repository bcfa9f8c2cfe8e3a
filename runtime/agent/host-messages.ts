/**
 * What hosts say to each other beside the protocol, on the channel `host`. Byte 0 is the version of
 * this channel, byte 1 the kind. Kinds that are not known are passed over, so that hosts of
 * different programs go together.
 */
import type { ActorId } from "../../core/base/ids.ts";
import { Reader } from "../../core/wire/reader.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import { Writer } from "../../core/wire/writer.ts";

export type HostMessage =
  /** Tell me when you have applied this version. `id` is the asker's, for the answer. */
  | {
      readonly kind: "askApplied";
      readonly id: number;
      readonly actor: ActorId;
      readonly version: number;
    }
  | { readonly kind: "applied"; readonly id: number };

export const hostKinds = { askApplied: 1, applied: 2 } as const;

const channelVersion = 1;

export function encodeHost(message: HostMessage): Uint8Array {
  const w = new Writer();
  w.u8(channelVersion);
  w.u8(hostKinds[message.kind]);
  w.varint(message.id);
  if (message.kind === "askApplied") {
    w.id(message.actor);
    w.varint(message.version);
  }
  return w.finish();
}

/** Null for a kind that is not known here. @throws WireError on bytes that are no message. */
export function decodeHost(bytes: Uint8Array): HostMessage | null {
  const r = new Reader(bytes);
  const version = r.u8();
  if (version !== channelVersion) throw new WireError(`host channel version ${version}`);
  const kind = r.u8();
  switch (kind) {
    case hostKinds.askApplied: {
      const id = r.varint();
      return { kind: "askApplied", id, actor: r.id() as ActorId, version: r.varint() };
    }
    case hostKinds.applied:
      return { kind: "applied", id: r.varint() };
    default:
      return null;
  }
}
