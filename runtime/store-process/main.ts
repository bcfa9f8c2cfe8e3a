/**
 * The store process: the one connection that writes. It carries out commands one after another and
 * answers each; in which order they come, and when it has taken too long, is the parent's to decide.
 */
import { enableCompileCache } from "node:module";

enableCompileCache();

const { ParentPipe } = await import("../ipc/parent-pipe.ts");
const { StoreServer } = await import("./store-server.ts");

// The parent ends this process; what a terminal sends to all of them is the parent's to answer.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const server = new StoreServer();
const pipe: InstanceType<typeof ParentPipe<import("./messages.ts").StoreCommand>> = new ParentPipe(
  ({ head, blobs }) => {
    const { answer, blobs: results } = server.carryOut(head, blobs);
    pipe.send(answer, results);
    if (head.type === "close") pipe.flush(() => process.exit(0));
  },
);
