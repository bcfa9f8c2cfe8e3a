/**
 * Values as JSON, exactly: null, number and string stand for themselves, the rest is tagged.
 * Integers outside ±(2^53−1) are `{"int":"decimal"}`, reals without a fraction `{"real":1}`,
 * `{"real":"inf"}` or `{"real":"-inf"}`, blobs `{"blob":"hex"}`. Used by traces, scenarios and dumps.
 */
import type { Value } from "../crdt/value.ts";

export type TaggedValue =
  | null
  | number
  | string
  | { readonly int: string }
  | { readonly real: number | "inf" | "-inf" }
  | { readonly blob: string };

export function tagValue(value: Value): TaggedValue {
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "bigint") return { int: value.toString() };
  if (value instanceof Uint8Array) return { blob: toHex(value) };
  const { real } = value;
  if (real === Infinity) return { real: "inf" };
  if (real === -Infinity) return { real: "-inf" };
  return { real };
}

const minLong = -(2n ** 63n);
const maxLong = 2n ** 63n - 1n;

/** The value that a piece of JSON stands for, or what is wrong with it. */
export function untagValue(
  json: unknown,
): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string } {
  if (json === null) return { ok: true, value: null };
  switch (typeof json) {
    case "string":
      return { ok: true, value: json.toWellFormed() };
    case "number":
      if (Number.isInteger(json) && !Number.isSafeInteger(json)) {
        return bad(`write {"int":"…"} for an integer this large, or {"real":${json}} for a real`);
      }
      return { ok: true, value: json === 0 ? 0 : json };
    case "object":
      return untagObject(json);
    default:
      return bad(`a value is null, a number, a string or tagged, not ${typeof json}`);
  }
}

type Untagged = ReturnType<typeof untagValue>;

function bad(error: string): Untagged {
  return { ok: false, error };
}

function untagObject(json: object): Untagged {
  const entries = Object.entries(json);
  const [tag, content] = entries[0] ?? ["", undefined];
  if (entries.length !== 1) return bad("a tagged value has one key: int, real or blob");
  switch (tag) {
    case "int":
      return untagInteger(content);
    case "real":
      if (content === "inf") return { ok: true, value: { real: Infinity } };
      if (content === "-inf") return { ok: true, value: { real: -Infinity } };
      if (typeof content !== "number") return bad('real is a number, "inf" or "-inf"');
      if (!Number.isInteger(content)) return { ok: true, value: content };
      return { ok: true, value: { real: content === 0 ? 0 : content } };
    case "blob":
      if (typeof content !== "string" || !/^([0-9a-f]{2})*$/.test(content)) {
        return bad("blob is an even number of lower-case hex digits");
      }
      return { ok: true, value: fromHex(content) };
    default:
      return bad(`a tagged value's key is int, real or blob, not ${JSON.stringify(tag)}`);
  }
}

function untagInteger(content: unknown): Untagged {
  if (typeof content !== "string" || !/^-?(0|[1-9][0-9]{0,19})$/.test(content)) {
    return bad("int is a decimal number as text");
  }
  const long = BigInt(content);
  if (long < minLong || long > maxLong) return bad("int is outside 64 bits");
  const number = Number(long);
  return { ok: true, value: Number.isSafeInteger(number) ? (number === 0 ? 0 : number) : long };
}

function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
