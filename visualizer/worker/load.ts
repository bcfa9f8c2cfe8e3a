/** Bytes of a trace, plain or gzipped, from any stream into columns. */
import { TraceBuilder } from "../model/ingest.ts";

export interface LoadProgress {
  /** Bytes taken from the source, compressed as they come. */
  readonly bytes: number;
  readonly events: number;
}

/** The source could not be read at all; a damaged trace is none of these. */
export class LoadError extends Error {}

/** Reads to the end, or as far as the trace is whole. */
export async function loadStream(
  source: ReadableStream<Uint8Array>,
  onProgress: (progress: LoadProgress) => void,
): Promise<TraceBuilder> {
  const builder = new TraceBuilder();
  let bytes = 0;
  const counted = source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        controller.enqueue(chunk);
      },
    }),
  );
  const reader = (await unpacked(counted)).getReader();
  let cut: string | null = null;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      builder.push(value);
      onProgress({ bytes, events: builder.count });
      if (builder.problem !== null) {
        await reader.cancel();
        break;
      }
    }
  } catch {
    cut = "the file ends in the middle of its compressed data";
  }
  builder.end(cut);
  return builder;
}

/** Gunzips a stream that begins with gzip's magic number; passes any other through. */
async function unpacked(source: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = source.getReader();
  const begun: Uint8Array[] = [];
  let length = 0;
  while (length < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    begun.push(value);
    length += value.length;
  }
  const first = begun[0]?.[0];
  const second = (begun[0]?.length ?? 0) > 1 ? begun[0]?.[1] : begun[1]?.[0];
  const whole = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of begun) controller.enqueue(chunk);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  if (first !== 0x1f || second !== 0x8b) return whole;
  const gunzip = new DecompressionStream("gzip") as unknown as ReadableWritablePair<
    Uint8Array,
    Uint8Array
  >;
  return whole.pipeThrough(gunzip);
}
