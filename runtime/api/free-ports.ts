/**
 * Whether the API will be able to listen, found out before the node joins: one that only then ends
 * for a busy port is a member that comes and goes for all others.
 */
import { createServer } from "node:net";
import { hostOf } from "../auth/listen-guard.ts";
import { listenError } from "./server.ts";

/**
 * @param addresses "host:port", of the API; @param metricsAddr of the extra door for /metrics.
 * @throws ListenError
 */
export async function checkPorts(
  addresses: readonly string[],
  metricsAddr: string | null,
): Promise<void> {
  for (const address of addresses) await checkPort("the API", address);
  if (metricsAddr !== null) await checkPort("/metrics", metricsAddr);
}

async function checkPort(what: string, address: string): Promise<void> {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, hostOf(address), resolve);
    });
  } catch (error) {
    throw listenError(what, address, error);
  }
  await new Promise((resolve) => server.close(resolve));
}
