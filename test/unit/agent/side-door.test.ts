/** The way into the main thread for the store process alone. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { enterSideDoor, FramePipe, SideDoor } from "../../../runtime/ipc/side-door.ts";

test("who shows the secret is let in, in pieces too, and is heard from its first frame on", async () => {
  const heard = Promise.withResolvers<unknown>();
  const door = new SideDoor(
    (socket) => new FramePipe(socket, heard.resolve, () => {}),
    (error) => heard.reject(error),
  );
  onTestFinished(() => door.close());
  const socket = enterSideDoor(door.key);
  new FramePipe(
    socket,
    () => {},
    () => {},
  ).send({ type: "hello", n: 2n ** 60n });
  expect(await heard.promise).toEqual({ type: "hello", n: 2n ** 60n });
});

test("a stranger is shown out unheard", async () => {
  let entered = 0;
  const door = new SideDoor(
    () => entered++,
    (error) => {
      throw error;
    },
  );
  onTestFinished(() => door.close());
  for (const secret of [Buffer.alloc(32), Buffer.alloc(5000, 7)]) {
    const socket = connect({ path: door.key.path });
    socket.on("error", () => {});
    socket.write(secret);
    socket.resume();
    await once(socket, "close");
  }
  expect(entered).toBe(0);
});
