/**
 * The store process: the one connection that writes. It carries out commands one after another and
 * answers each; when it has taken too long is for those to decide who asked.
 */
import { keepCodeOnceStarted } from "../ipc/frugal.ts";
import { ParentPipe } from "../ipc/parent-pipe.ts";
import { giveBackWhenQuiet } from "../ipc/quiet.ts";
import { type DoorKey, enterSideDoor, FramePipe } from "../ipc/side-door.ts";
import type { StoreAnswer, StoreCommand, TransactAnswer, TransactCommand } from "./messages.ts";
import { StoreServer } from "./store-server.ts";
import { Turns } from "./turns.ts";

// The parent ends this process; what a terminal sends to all of them is the parent's to answer.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const server = new StoreServer();
const turns = new Turns();
const pipe: ParentPipe<StoreCommand> = new ParentPipe((command) =>
  turns.add("node", () => {
    pipe.send(server.carryOut(command));
    if (command.type === "admit") admitClients(command.door);
    if (command.type === "close") pipe.flush(() => process.exit(0));
  }),
);

/** A process that clients cannot reach is of no use: it ends, and is started again. */
function admitClients(key: DoorKey): void {
  const clients: FramePipe<TransactCommand> = new FramePipe(
    enterSideDoor(key),
    (command) =>
      turns.add("client", () => {
        const { answer, committed } = server.runGroup(command);
        // Clients first: what the node does with a version takes a while.
        clients.send(answer);
        pipe.send({ type: "committed", versions: committed } satisfies StoreAnswer);
      }),
    () => process.exit(1),
  );
  clients.send({ type: "hello", groups: server.committedGroups() } satisfies TransactAnswer);
}

keepCodeOnceStarted();
giveBackWhenQuiet(() => server.shrink());
