/**
 * How long a simulated node is busy with what it does, in microseconds of virtual time, before
 * `slow` multiplies it. Round figures of a server of today; they matter by making nodes queue, not
 * by their digits.
 */
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk } from "../../core/node/store.ts";

export const timerUs = 5;
export const commitUs = 100;
export const checkpointUs = 200;
const messageUs = 20;
const messageUsPerKib = 2;
const storeUs = 30;
const payloadUsPerKib = 10;

export function messageCost(bytes: number): number {
  return messageUs + (bytes * messageUsPerKib) / 1024;
}

export function commitCost(chunks: readonly Chunk[]): number {
  return commitUs + payloadCost(chunks);
}

export function storeCost(request: StoreRequest, response: StoreResponse): number {
  if (request.type === "receive") return storeUs + payloadCost(request.chunks);
  return response.type === "serve" ? storeUs + payloadCost(response.chunks) : storeUs;
}

function payloadCost(chunks: readonly Chunk[]): number {
  let bytes = 0;
  for (let i = 0; i < chunks.length; i++) bytes += (chunks[i] as Chunk).payload.length;
  return (bytes * payloadUsPerKib) / 1024;
}
