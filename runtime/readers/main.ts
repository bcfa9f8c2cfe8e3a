/** A reader process: answers queries on connections that only read, one step at a time. */
import { keepCodeOnceStarted } from "../ipc/frugal.ts";
import { ParentPipe } from "../ipc/parent-pipe.ts";
import type { ReaderCommand } from "./messages.ts";
import { ReaderServer } from "./reader-server.ts";

// The parent ends this process; what a terminal sends to all of them is the parent's to answer.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const server = new ReaderServer((answer) => pipe.send(answer));
const pipe: ParentPipe<ReaderCommand> = new ParentPipe((command) => server.take(command));

keepCodeOnceStarted();
