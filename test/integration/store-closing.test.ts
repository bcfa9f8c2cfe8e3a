/** The store process is closed after everything that waits, and is asked for nothing after that. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { StoreAnswer } from "../../runtime/store-process/messages.ts";
import { packStatements, resultOf } from "../../runtime/store-process/result.ts";
import { StoreClient } from "../../runtime/store-process/store-client.ts";
import type { StoreEnd } from "../../runtime/store-process/store-options.ts";

test("what waits is done before it closes; what comes later is refused; nothing is said to have failed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "patina-closing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "a.db");
  const answered = new Map<number, string>();
  const ends: StoreEnd[] = [];
  let committed = 0;
  const result = await StoreClient.open({
    path,
    open: () => ({
      path,
      synchronous: "normal",
      schema: [{ name: "s.sql", text: "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY);" }],
      freshActor: "ab".repeat(16) as ActorId,
      freshNode: "cd".repeat(16) as NodeId,
      signing: null,
    }),
    ownHead: () => committed,
    committed: () => committed++,
    answered: (id, bytes) => {
      const told = resultOf(bytes);
      answered.set(id, told.type === "failed" ? told.error.code : told.type);
    },
    log: () => {},
    ended: (end) => ends.push(end),
  });
  if (!("client" in result)) throw new Error(result.why);
  const { client } = result;
  const transaction = (id: number) => {
    const body = packStatements([{ sql: `INSERT INTO kv VALUES ('k${id}')`, parameters: [] }]);
    return { id, body, deadlineMs: null, key: null };
  };
  const before = Array.from({ length: 20 }, () => client.call({ type: "info" }, "upkeep"));
  client.transact(Array.from({ length: 100 }, (_, id) => transaction(id)));
  const closed = client.close(30_000);
  const after = Array.from({ length: 20 }, () => client.call({ type: "info" }));
  client.transact([transaction(1000)]);
  await closed;

  const types = async (answers: Promise<StoreAnswer>[]): Promise<Set<string>> =>
    new Set((await Promise.all(answers)).map(({ type }) => type));
  expect(await types(before)).toEqual(new Set(["info"]));
  expect(await types(after)).toEqual(new Set(["failed"]));
  expect(Array.from({ length: 100 }, (_, id) => answered.get(id))).toEqual(
    Array.from({ length: 100 }, () => "committed"),
  );
  expect(answered.get(1000)).toBe("shutting_down");
  expect(committed).toBe(100);
  expect(ends).toEqual([]);
});
