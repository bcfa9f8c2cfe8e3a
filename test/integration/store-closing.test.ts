/** The store process is closed after everything that waits, and is asked for nothing after that. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { StoreAnswer } from "../../runtime/store-process/messages.ts";
import { resultOf } from "../../runtime/store-process/result.ts";
import { progressPathOf, StoreClient } from "../../runtime/store-process/store-client.ts";
import type { StoreEnd } from "../../runtime/store-process/store-options.ts";
import { TransactionClient } from "../../runtime/store-process/transaction-client.ts";

test("what waits is done before it closes; what comes later is refused; nothing is said to have failed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "patina-closing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "a.db");
  const ends: StoreEnd[] = [];
  let committed = 0;
  const transactions = new TransactionClient({
    progressPath: progressPathOf(path),
    answering: () => {},
    restart: (why) => {
      throw new Error(why);
    },
    ended: (end) => ends.push(end),
  });
  onTestFinished(() => transactions.close());
  const result = await StoreClient.open({
    path,
    door: transactions.key,
    open: () => ({
      path,
      synchronous: "normal",
      scrubHours: 0,
      schema: [{ name: "s.sql", text: "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY);" }],
      freshActor: "ab".repeat(16) as ActorId,
      freshNode: "cd".repeat(16) as NodeId,
      signing: null,
    }),
    ownHead: () => committed,
    committed: () => committed++,
    log: () => {},
    ended: (end) => ends.push(end),
  });
  if (!("client" in result)) throw new Error(result.why);
  const { client } = result;
  const outcome = async (id: number): Promise<string> => {
    const statements = [[`INSERT INTO kv VALUES ('k${id}')`, []]] as const;
    const given = { statements, bytes: 100, deadlineMs: null, key: null };
    const told = resultOf(await transactions.transact(given));
    return told.type === "failed" ? told.error.code : told.type;
  };
  const before = Array.from({ length: 20 }, () => client.call({ type: "info" }, "upkeep"));
  const outcomes = Array.from({ length: 100 }, (_, id) => outcome(id));
  const drained = transactions.drain(30_000);
  const late = outcome(1000);
  await drained;
  const closed = client.close(30_000);
  const after = Array.from({ length: 20 }, () => client.call({ type: "info" }));
  await closed;

  const types = async (answers: Promise<StoreAnswer>[]): Promise<Set<string>> =>
    new Set((await Promise.all(answers)).map(({ type }) => type));
  expect(await types(before)).toEqual(new Set(["info"]));
  expect(await types(after)).toEqual(new Set(["failed"]));
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(["committed"]));
  expect(await late).toBe("shutting_down");
  expect(committed).toBe(100);
  expect(ends).toEqual([]);
});
