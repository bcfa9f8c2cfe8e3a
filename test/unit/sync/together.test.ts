import { expect, test } from "vitest";
import { Cluster } from "../node/cluster.ts";

test("BK10: what arrived with others goes to the store with the last of them, whatever that is", () => {
  const cluster = new Cluster({ nodes: 2 });
  cluster.loses = ({ effect }) => effect.plane === "gossip";
  cluster.run(2000);
  for (let i = 0; i < 3; i++) cluster.put(0, `k${i}`);
  const pushes = cluster.sentOf("push").map(({ effect }) => effect.bytes);
  expect(pushes).toHaveLength(3);
  const receiver = cluster.node(1);
  receiver.storeHangs = true;
  const from = cluster.node(0).identity.address;
  for (const bytes of pushes) {
    cluster.handle(1, { type: "message", from, plane: "gossip", bytes, more: true });
    expect(receiver.hanging).toHaveLength(0);
  }
  // It came before, and brings nothing for the store.
  const again = pushes[0] as Uint8Array;
  cluster.handle(1, { type: "message", from, plane: "gossip", bytes: again, more: false });
  expect(receiver.hanging).toHaveLength(1);
  cluster.releaseStore(1);
  cluster.run(10);
  expect(cluster.agrees).toBe(true);
});
