/**
 * What stands around each message, and the one edge at which bytes from outside become messages.
 * Byte 0 is the wire version, byte 1 the kind, then come the fields of the kind. Messages grow
 * only at their end, and records in lists only at theirs, so an older program reads what it knows
 * and counts the rest; kinds that it does not know are counted and dropped.
 */
import { type MessageKind, messageKinds } from "./kinds.ts";
import { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

export const wireVersion = 1;

/** Version and kind. */
export const envelopeBytes = 2;

/** Empties `w` and begins a message in it. */
export function beginMessage(w: Writer, kind: MessageKind): void {
  w.reset();
  w.u8(wireVersion);
  w.u8(messageKinds[kind]);
}

/** Reads the fields of one kind. Throws WireError, and nothing else, on bytes that are not right. */
export type Decoder<Message> = (r: Reader) => Message;

/** Decoders by kind number: what one plane understands. */
export type DecoderTable<Message> = readonly (Decoder<Message> | undefined)[];

export function decoderTable<Message>(
  decoders: Readonly<Partial<Record<MessageKind, Decoder<Message>>>>,
): DecoderTable<Message> {
  const table: (Decoder<Message> | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const [kind, number] of Object.entries(messageKinds)) {
    table[number] = decoders[kind as MessageKind];
  }
  return table;
}

export type Decoded<Message> =
  /** `unknownField`: a newer program wrote more than is known here; it was passed over. */
  | { readonly type: "message"; readonly message: Message; readonly unknownField: boolean }
  /** A kind that a newer program knows. */
  | { readonly type: "unknownKind"; readonly kind: number }
  /** Not a message, or not one of this plane. */
  | { readonly type: "rejected"; readonly why: string };

/** One for all messages: a decoder is done before the next begins. */
const reader = new Reader(new Uint8Array(0));

/** @param maxBytes longest message of the plane. Never throws, whatever the bytes. */
export function decodeMessage<Message>(
  bytes: Uint8Array,
  table: DecoderTable<Message>,
  maxBytes: number,
): Decoded<Message> {
  if (bytes.length < envelopeBytes) return { type: "rejected", why: "shorter than an envelope" };
  if (bytes.length > maxBytes) return { type: "rejected", why: `longer than ${maxBytes} bytes` };
  if (bytes[0] !== wireVersion) return { type: "rejected", why: `wire version ${bytes[0]}` };
  const kind = bytes[1] as number;
  const decoder = table[kind];
  if (decoder === undefined) {
    const name = kindNames[kind];
    if (name === undefined) return { type: "unknownKind", kind };
    return { type: "rejected", why: `${name} is not of this plane` };
  }
  const r = reader;
  r.restart(bytes, envelopeBytes);
  try {
    const message = decoder(r);
    return { type: "message", message, unknownField: r.remaining > 0 || r.skipped > 0 };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { type: "rejected", why: `${kindNames[kind] ?? kind}: ${error.message}` };
  }
}

const kindNames: (MessageKind | undefined)[] = [];
for (const [kind, number] of Object.entries(messageKinds)) kindNames[number] = kind as MessageKind;

/** The name of the message's kind, for traces; undefined when there is none. */
export function kindOf(bytes: Uint8Array): MessageKind | undefined {
  return bytes.length < envelopeBytes ? undefined : kindNames[bytes[1] as number];
}
