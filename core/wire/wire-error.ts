/**
 * Bytes that are not what they claim to be. Thrown by readers and caught at one edge
 * (`core/wire/envelope.ts`), where it becomes a counted, tagged result.
 */
export class WireError extends Error {
  override name = "WireError";
}
