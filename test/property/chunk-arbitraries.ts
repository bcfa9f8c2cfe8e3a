/** Any author, stamp and chunk, signed or not. */
import fc from "fast-check";
import { type ActorId, actorId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import type { Chunk } from "../../core/node/store.ts";
import { maxSealBytes } from "../../core/wire/limits.ts";

/** Few enough that they meet, and some from all over. */
export const anyActor: fc.Arbitrary<ActorId> = fc
  .oneof(
    fc.constantFrom("a", "b", "c").map((digit) => digit.repeat(32)),
    fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes).toString("hex")),
  )
  .map(actorId);
export const anyHlc: fc.Arbitrary<Hlc> = fc.record({
  ms: fc.oneof(
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fc.constantFrom(0, 2 ** 32, 2 ** 48 - 1),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_009 }),
  ),
  counter: fc.integer({ min: 0, max: 0xffff }),
});
export const anyVersion = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 2 ** 48 }),
);

export const anyChunk: fc.Arbitrary<Chunk> = fc
  .record({
    actor: anyActor,
    version: anyVersion,
    index: fc.nat(5),
    more: fc.nat(5),
    hlc: anyHlc,
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 90 }),
      fc.uint8Array({ minLength: 100, maxLength: 400 }),
    ),
  })
  .map(({ more, ...chunk }) => ({ ...chunk, count: chunk.index + 1 + more }));

/** Of the chunks in one message some may be signed and some not. */
export const anySealedChunk: fc.Arbitrary<Chunk> = fc
  .tuple(anyChunk, fc.option(fc.uint8Array({ minLength: 1, maxLength: maxSealBytes })))
  .map(([chunk, seal]) => (seal === null ? chunk : { ...chunk, seal }));
