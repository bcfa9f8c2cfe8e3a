import { describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { maxChunkHeaderBytes, readChunk, writeChunk } from "../../../core/wire/chunk.ts";
import { decodeMessage } from "../../../core/wire/envelope.ts";
import { encodePush, gossipDecoders, maxGossipBytes } from "../../../core/wire/gossip-messages.ts";
import { maxChunksPerVersion, maxSealBytes } from "../../../core/wire/limits.ts";
import { Reader } from "../../../core/wire/reader.ts";
import { encodeChunks } from "../../../core/wire/sync-messages.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { Writer } from "../../../core/wire/writer.ts";

const chunk: Chunk = {
  actor: actorId("0123456789abcdef0123456789abcdef"),
  version: 300,
  index: 2,
  count: 3,
  hlc: { ms: 1_700_000_000_123, counter: 0x8001 },
  payload: Uint8Array.of(1, 2, 3),
};

function bytesOf(changed: Partial<Chunk>): Uint8Array {
  const w = new Writer();
  writeChunk(w, { ...chunk, ...changed });
  return w.finish();
}

describe("chunks", () => {
  test("WI13: a chunk comes back whole, whatever the size of its payload", () => {
    for (const size of [0, 1, 64, 65, 1000, 40_000]) {
      const payload = Uint8Array.from({ length: size }, (_, i) => i % 256);
      expect(readChunk(new Reader(bytesOf({ payload })))).toEqual({ ...chunk, payload });
    }
  });

  test("WI13: its bytes are these, for ever", () => {
    expect(Buffer.from(bytesOf({})).toString("hex")).toBe(
      "0123456789abcdef0123456789abcdefac020203018bcfe5687b800103010203",
    );
  });

  test.each([
    ["version 0", { version: 0 }],
    ["an index at its count", { index: 3 }],
    ["no chunks at all", { index: 0, count: 0 }],
    ["more chunks than a version has", { count: maxChunksPerVersion + 1 }],
  ])("WI13: %s is refused", (_, changed) => {
    expect(() => readChunk(new Reader(bytesOf(changed)))).toThrow(WireError);
  });

  test("WI13: what stands around a payload is never longer than said", () => {
    const longest = bytesOf({
      version: Number.MAX_SAFE_INTEGER,
      index: maxChunksPerVersion - 1,
      count: maxChunksPerVersion,
      payload: new Uint8Array(2 ** 21),
    });
    expect(longest.length - 2 ** 21).toBeLessThanOrEqual(maxChunkHeaderBytes);
  });

  test("WI16: a push with a seal has a flag and the seal at its end; one without has neither", () => {
    const bare = Buffer.from(encodePush(chunk, 0)).toString("hex");
    const push = Buffer.from(encodePush({ ...chunk, seal: Uint8Array.of(8, 9) }, 0));
    expect(push.toString("hex")).toBe(`${bare.slice(0, 6)}01${bare.slice(8)}020809`);
  });

  test("WI16: an answer with seals is of a kind of its own: each chunk is followed by its seal, or an empty one", () => {
    const one = Buffer.from(bytesOf({})).toString("hex");
    const hex = (chunks: readonly Chunk[]) => Buffer.from(encodeChunks(1, chunks)).toString("hex");
    expect(hex([chunk, chunk])).toBe(`01430102${one}${one}`);
    expect(hex([chunk, { ...chunk, seal: Uint8Array.of(8, 9) }])).toBe(
      `01470102${one}00${one}020809`,
    );
  });

  test("WI16: a seal past its limit is refused", () => {
    const long = (bytes: number) => encodePush({ ...chunk, seal: new Uint8Array(bytes) }, 0);
    const read = (bytes: number) => decodeMessage(long(bytes), gossipDecoders, maxGossipBytes).type;
    expect(read(maxSealBytes)).toBe("message");
    expect(read(maxSealBytes + 1)).toBe("rejected");
  });

  test("WI13: a small payload read from a large frame does not keep the frame alive", () => {
    const w = new Writer();
    writeChunk(w, { ...chunk, payload: new Uint8Array(500).fill(7) });
    w.raw(new Uint8Array(1_000_000));
    const read = readChunk(new Reader(w.finish()));
    expect(read.payload).toEqual(new Uint8Array(500).fill(7));
    expect(read.payload.buffer.byteLength).toBeLessThan(100_000);
  });
});
