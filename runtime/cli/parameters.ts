/** Parameters of SQL, as people type them. */
import type { Value } from "../../core/crdt/value.ts";
import { JsonSyntaxError, JsonText } from "../api/json-text.ts";
import type { Parameter } from "../client/client.ts";

/**
 * null, true, false and numbers are what they are in JSON, x'00ff' is a BLOB, "…" in quotes is a
 * JSON string; everything else is TEXT as it stands.
 */
export function parameterOf(text: string): Parameter {
  switch (text) {
    case "null":
      return null;
    case "true":
      return true;
    case "false":
      return false;
  }
  const blob = /^[xX]'((?:[0-9a-fA-F]{2})*)'$/.exec(text);
  if (blob !== null) return new Uint8Array(Buffer.from(blob[1] as string, "hex"));
  if (/^-?\d/.test(text)) return whole(text, (json) => json.number()) ?? text;
  if (text.startsWith('"')) return whole(text, (json) => json.string()) ?? text;
  return text;
}

/** Null when the text is not wholly that. */
function whole(text: string, read: (json: JsonText) => Value): Value {
  const json = new JsonText(text);
  try {
    const value = read(json);
    json.end();
    return value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}
