/** A node's transport on a thread of its own, which tells what it hears; ended, it says no farewell. */
import { parentPort, workerData } from "node:worker_threads";
import { createTransport } from "../../runtime/net/create-transport.ts";
import type { TransportOptions } from "../../runtime/net/transport.ts";

const ignore = (): void => undefined;
const transport = await createTransport({
  ...(workerData as Pick<TransportOptions, "listen" | "clusterId" | "tls" | "kind">),
  events: {
    message(from, channel, bytes) {
      parentPort?.postMessage({ heard: bytes.length });
      transport.send(from.address, channel, true, bytes);
    },
    unreachable: ignore,
    rtt: ignore,
    datagramBytes: ignore,
    rejected: ignore,
  },
});
parentPort?.postMessage({ listening: transport.listening });
