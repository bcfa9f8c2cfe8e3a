/** A node whose file has another author than its certificate allows goes on as a fresh one, and says why. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { actorId, nodeId } from "../../../core/base/ids.ts";
import { StoreServer } from "../../../runtime/store-process/store-server.ts";
import type { OpenStore } from "../../../runtime/store-process/messages.ts";
import { clusterId, makeFleet } from "../security/fleet.ts";

test("a file of a node that signed nothing yet", async () => {
  const folder = mkdtempSync(join(tmpdir(), "patina-fresh-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const unsigned: OpenStore = {
    path: join(folder, "state.db"),
    synchronous: "normal",
    scrubHours: 0,
    schema: [],
    freshActor: actorId("1".repeat(32)),
    freshNode: nodeId("2".repeat(32)),
    signing: null,
    progressPath: join(folder, "progress"),
    lockWaitMs: 0,
  };
  // The parent of a store process makes it.
  writeFileSync(unsigned.progressPath, new Uint8Array(64));
  const open = (options: OpenStore): unknown => {
    const server = new StoreServer();
    const answer = server.carryOut({ type: "open", options });
    server.carryOut({ type: "close" });
    return answer;
  };
  expect(open(unsigned)).toMatchObject({ renewal: null, actor: unsigned.freshActor });
  const { cert, key } = (await (await makeFleet()).node("alice")).tls;
  const signing = { clusterId, cert, key };
  expect(open({ ...unsigned, signing })).toMatchObject({
    renewal: {
      why: "nothing was written yet",
      what: "actor",
      before: { actor: unsigned.freshActor },
    },
  });
  expect(open({ ...unsigned, signing })).toMatchObject({ renewal: null });
});
