/** Ports of loopback that nobody uses just now, for TCP and UDP. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** All are held until the last is found, so that none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { readonly port: number; readonly release: () => Promise<void> }[] = [];
  try {
    while (held.length < count) {
      const port = await hold();
      if (port !== null) held.push(port);
    }
    return held.map(({ port }) => port);
  } finally {
    await Promise.all(held.map(({ release }) => release()));
  }
}

async function hold(): Promise<{ port: number; release: () => Promise<void> } | null> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  const closeServer = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  const socket = createSocket("udp4");
  const bound = await new Promise<boolean>((resolve) => {
    socket.once("error", () => resolve(false));
    socket.bind(port, "127.0.0.1", () => resolve(true));
  });
  if (!bound) {
    await closeServer();
    return null;
  }
  const closeSocket = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));
  return { port, release: async () => void (await Promise.all([closeServer(), closeSocket()])) };
}
