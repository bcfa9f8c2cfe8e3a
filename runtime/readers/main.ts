/** A reader process: answers queries on connections that only read, one step at a time. */
import { enableCompileCache } from "node:module";

enableCompileCache();

const { ParentPipe } = await import("../ipc/parent-pipe.ts");
const { ReaderServer } = await import("./reader-server.ts");

// The parent ends this process; what a terminal sends to all of them is the parent's to answer.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const server = new ReaderServer((answer) => pipe.send(answer));
const pipe: InstanceType<typeof ParentPipe<import("./messages.ts").ReaderCommand>> = new ParentPipe(
  (command) => server.take(command),
);
