/**
 * What two sessions say to each other on the control lane, each a frame: a kind, then its fields as
 * `core/wire` writes them. A newer program may add fields at the end; they are passed over.
 */
import type { Address } from "../../core/base/ids.ts";
import { maxAddressBytes } from "../../core/wire/limits.ts";
import { Reader } from "../../core/wire/reader.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import { Writer } from "../../core/wire/writer.ts";

/** Goes up when frames or lanes change so that older programs would misread them. */
export const protocolVersion = 1;

const kinds = { hello: 1, welcome: 2, refused: 3, bye: 4, done: 5, ping: 6, pong: 7 } as const;

export interface Introduction {
  readonly version: number;
  readonly clusterId: number;
  /** What this node advertises. */
  readonly address: Address;
  /** Drawn when the program starts, 32 hex digits: tells a restarted node from one that lives on. */
  readonly instance: string;
  /** See `stateless-reset.ts`; empty where not needed. */
  readonly resetToken: Uint8Array;
}

/** `duplicate`: the two are connected, or about to be, by another connection. */
export type RefusalCode = "turnedAway" | "duplicate" | "self";

/**
 * Why the side that dialled does so. `meet`: to be connected. `replace`: the same, and it knows of no
 * other connection, whatever the other side believes. `move`: there is one, and this shall carry what
 * comes after it.
 */
export type Intent = (typeof intents)[number];

export type Control =
  /** The side that dialled begins. */
  | { readonly type: "hello"; readonly who: Introduction; readonly intent: Intent }
  | { readonly type: "welcome"; readonly who: Introduction }
  | {
      readonly type: "refused";
      readonly code: RefusalCode;
      readonly address: Address;
      readonly reason: string;
    }
  /** No frame will follow the `frames` that were sent on the channels' lanes. */
  | { readonly type: "bye"; readonly frames: number }
  /** All frames that the other's bye told of have arrived. */
  | { readonly type: "done" }
  | { readonly type: "ping" }
  | { readonly type: "pong" };

/** Older programs take whatever is not `replace` for `meet`. */
const intents = ["meet", "replace", "move"] as const;
const refusalCodes: readonly RefusalCode[] = ["turnedAway", "duplicate", "self"];
const maxReasonBytes = 1000;
const maxTokenBytes = 64;

export function encodeControl(control: Control): Uint8Array {
  const writer = new Writer();
  writer.u8(kinds[control.type]);
  switch (control.type) {
    case "hello":
      writeIntroduction(writer, control.who);
      writer.u8(intents.indexOf(control.intent));
      break;
    case "welcome":
      writeIntroduction(writer, control.who);
      break;
    case "refused":
      writer.u8(refusalCodes.indexOf(control.code));
      writer.string(control.address);
      writer.string(control.reason.slice(0, 300));
      break;
    case "bye":
      writer.varint(control.frames);
      break;
    case "done":
    case "ping":
    case "pong":
      break;
    default:
      control satisfies never;
  }
  return writer.finish();
}

/** @returns null when the bytes are not what this program understands; such a frame ends the connection. */
export function decodeControl(bytes: Uint8Array): Control | null {
  try {
    return read(new Reader(bytes));
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

function read(reader: Reader): Control | null {
  switch (reader.u8()) {
    case kinds.hello: {
      const who = readIntroduction(reader);
      return { type: "hello", who, intent: intents[reader.u8()] ?? "meet" };
    }
    case kinds.welcome:
      return { type: "welcome", who: readIntroduction(reader) };
    case kinds.refused: {
      const code = refusalCodes[reader.u8()] ?? "turnedAway";
      const address = reader.string(maxAddressBytes) as Address;
      return { type: "refused", code, address, reason: reader.string(maxReasonBytes) };
    }
    case kinds.bye:
      return { type: "bye", frames: reader.varint() };
    case kinds.done:
      return { type: "done" };
    case kinds.ping:
      return { type: "ping" };
    case kinds.pong:
      return { type: "pong" };
    default:
      return null;
  }
}

function writeIntroduction(writer: Writer, who: Introduction): void {
  writer.varint(who.version);
  writer.varint(who.clusterId);
  writer.string(who.address);
  writer.id(who.instance);
  writer.bytes(who.resetToken);
}

function readIntroduction(reader: Reader): Introduction {
  return {
    version: reader.varint(),
    clusterId: reader.varint(),
    address: reader.string(maxAddressBytes) as Address,
    instance: reader.id(),
    resetToken: Uint8Array.from(reader.bytes(maxTokenBytes)),
  };
}
