/** Traces from streams: plain and gzipped, whole and cut off. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { loadStream } from "../../../visualizer/worker/load.ts";
import { buffersOf } from "../../../visualizer/worker/protocol.ts";
import { readTrace } from "./read.ts";
import { syntheticText } from "./synthetic-trace.ts";

const text = syntheticText({ nodes: 3, durationMs: 6000, cut: { fromMs: 1000, toMs: 3000 } });
const plain = new TextEncoder().encode(text);
const zipped = new Uint8Array(gzipSync(plain));

function streamOf(bytes: Uint8Array, pieceBytes: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += pieceBytes)));
    },
  });
}

describe("streams", () => {
  test.each([
    ["plain", plain],
    ["gzipped", zipped],
  ])("a %s trace is read whole, however it arrives, and progress is told", async (_, bytes) => {
    for (const piece of [1000, 1 << 20]) {
      const told: number[] = [];
      const builder = await loadStream(streamOf(bytes, piece), (progress) =>
        told.push(progress.bytes),
      );
      expect(builder.snapshot()).toEqual(readTrace(text));
      expect(told.at(-1)).toBe(bytes.length);
      expect(told).toEqual([...told].sort((a, b) => a - b));
    }
  });

  test("magic bytes that come one by one are still seen", async () => {
    const builder = await loadStream(streamOf(zipped.subarray(0, 3000), 1), () => {});
    expect(builder.count).toBeGreaterThan(0);
  });

  test("a gzip file cut off in the middle opens up to where it is whole, and says so", async () => {
    const builder = await loadStream(
      streamOf(zipped.subarray(0, zipped.length >> 1), 4096),
      () => {},
    );
    expect(builder.problem?.kind).toBe("truncated");
    expect(builder.count).toBeGreaterThan(100);
    const whole = readTrace(text);
    const some = builder.snapshot();
    expect([...some.t]).toEqual([...whole.t.subarray(0, some.count)]);
  });

  test("an empty stream and one of noise are no traces", async () => {
    expect((await loadStream(streamOf(new Uint8Array(), 10), () => {})).begun).toBe(false);
    expect(
      (await loadStream(streamOf(Uint8Array.of(0x1f, 0x8b, 1, 2, 3), 10), () => {})).begun,
    ).toBe(false);
  });
});

describe("handing over", () => {
  test("every buffer of a trace and its index is transferred, so that nothing large is copied", () => {
    const trace = readTrace(text);
    const message = { trace, index: buildIndex(trace) };
    const buffers = buffersOf(message);
    expect(new Set(buffers).size).toBe(buffers.length);
    const received = structuredClone(message, { transfer: buffers });
    expect(received.trace).toEqual(readTrace(text));
    expect(lengthsOf(message).every((length) => length === 0)).toBe(true);
    expect(lengthsOf(received).some((length) => length > 100)).toBe(true);
  });
});

/** Lengths of all typed arrays inside an object. */
function lengthsOf(value: unknown): number[] {
  if (ArrayBuffer.isView(value)) return [value.byteLength];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(lengthsOf);
}
