/** The network thread: a worker of the agent's process, so that nothing else delays its answers. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../core/base/assert.ts";
import { keepCodeOnceStarted } from "../ipc/frugal.ts";
import { createTransport } from "../net/create-transport.ts";
import type { NetCommand, NetOptions, NetReport } from "./net-messages.ts";
import { NetNode } from "./net-node.ts";

const port = parentPort;
assert(port !== null, "this file is the start of a worker thread");

const node = new NetNode(
  workerData as NetOptions,
  (report: NetReport) => port.postMessage(report),
  createTransport,
);
port.on("message", (command: NetCommand) => node.handle(command));
await node.start();
keepCodeOnceStarted();
