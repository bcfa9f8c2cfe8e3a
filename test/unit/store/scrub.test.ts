/** Damage in the log that nobody has met yet. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import { Scrub } from "../../../runtime/store/scrub.ts";
import { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { NodeStore } from "../../../runtime/store-process/node-store.ts";
import { storeFiles } from "./files.ts";
import { sql, t0 } from "./stores.ts";

const schema = ["CREATE TABLE kv (k INTEGER NOT NULL PRIMARY KEY, v TEXT)"];

class LookedThrough extends SqliteStore {
  readonly scrub = new Scrub(this.engine);
}

describe("a look through the log", () => {
  const files = storeFiles(schema);

  const options = () => ({
    path: files.path("state.db"),
    actor: actorId("a".repeat(32)),
    schema,
    versionsPerPack: 4,
  });

  /** Small versions in packs and in rows, one in many chunks, and some that are overwritten. */
  function filled(): LookedThrough {
    const store = new LookedThrough(options());
    for (let i = 1; i <= 10; i++) sql(store, ["INSERT INTO kv VALUES (?, ?)", i, `value ${i}`]);
    sql(
      store,
      `INSERT INTO kv WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
       SELECT i, hex(randomblob(20)) FROM n`,
    );
    sql(store, "UPDATE kv SET v = 'new' WHERE k IN (2, 3)");
    store.checkpoint();
    return store;
  }

  function look({ scrub }: LookedThrough): {
    readonly told: readonly string[];
    readonly damage: number;
  } {
    for (let i = 0; i < 1000; i++) {
      if (scrub.run(0)) return { told: scrub.takeTold(), damage: scrub.damage };
    }
    throw new Error("the look does not end");
  }

  /** Changes the file behind the back of the store, which is closed. */
  function damaged(statement: string): LookedThrough {
    filled().close();
    const db = new Database(files.path("state.db"));
    const { changes } = db.prepare(statement).run();
    expect(changes).toBeGreaterThan(0);
    db.close();
    return new LookedThrough(options());
  }

  test("BK24: finds nothing in a log that is whole, step by step, while versions come and go", () => {
    const store = filled();
    expect(look(store)).toEqual({ told: [], damage: 0 });
    const { scrub } = store;
    let steps = 1;
    while (!scrub.run(0)) {
      steps++;
      sql(store, ["UPDATE kv SET v = ? WHERE k <= 10", `step ${steps}`]);
      store.checkpoint();
    }
    expect(steps).toBeGreaterThan(5);
    expect([scrub.takeTold(), scrub.damage]).toEqual([[], 0]);
    expect(store.check()).toEqual([]);
    store.close();
  });

  test.each([
    ["a row of the log", "DELETE FROM patina_log WHERE id = (SELECT max(id) FROM patina_log)"],
    ["a pack", "DELETE FROM patina_pack WHERE id = (SELECT max(id) FROM patina_pack)"],
  ])("BK24: finds that %s is gone", (_what, statement) => {
    const store = damaged(statement);
    const { told, damage } = look(store);
    store.abandon();
    expect(damage).toBeGreaterThan(0);
    expect(told).toHaveLength(damage);
    for (const line of told)
      expect(line).toMatch(/^log row \d+ is gone, though rows stem from it$/);
  });

  test("BK24: is part of a node's upkeep, which tells what it found and when it was done", () => {
    filled().close();
    const open = (): NodeStore => {
      const times = { firstMs: 0, everyMs: 3_600_000 };
      return new NodeStore(options(), () => {}, times);
    };
    const passed = (store: NodeStore): number => {
      let slices = 0;
      while (store.info().scrubbedMs === 0 && slices < 1000) {
        store.upkeep(t0, false);
        slices++;
      }
      return slices;
    };
    const whole = open();
    expect(whole.info()).toMatchObject({ scrubbedMs: 0, scrubDamage: 0 });
    expect(passed(whole)).toBeLessThan(1000);
    expect(whole.info()).toMatchObject({ scrubbedMs: t0, scrubDamage: 0 });
    expect([whole.takeDamage(), whole.upkeep(t0, false)]).toEqual([[], "no"]);
    whole.close();

    const db = new Database(files.path("state.db"));
    db.exec("DELETE FROM patina_log WHERE id = (SELECT max(id) FROM patina_log)");
    db.close();
    const holed = open();
    passed(holed);
    expect(holed.info().scrubDamage).toBe(1);
    expect(holed.takeDamage()).toEqual([expect.stringMatching(/^log row \d+ is gone/)]);
    expect(holed.takeDamage()).toEqual([]);
    holed.close();
  });

  test.each([
    ["a pack's content", "UPDATE patina_pack SET content = zeroblob(length(content))"],
    ["a pack's list", "UPDATE patina_pack SET head = zeroblob(length(head))"],
    ["a chunk", "UPDATE patina_chunk SET payload = zeroblob(length(payload))"],
    ["a missing chunk", "DELETE FROM patina_chunk WHERE at = (SELECT max(at) FROM patina_chunk)"],
    ["a row of the log", "UPDATE patina_log SET payload = x'00' WHERE payload IS NOT NULL"],
    ["what is counted", "UPDATE patina_live SET counts = x'09'"],
  ])("BK24: finds damage to %s", (_what, statement) => {
    const store = damaged(statement);
    const { told, damage } = look(store);
    store.abandon();
    expect(damage).toBeGreaterThan(0);
    for (const line of told) expect(line).toMatch(/is damaged|is not there/);
  });
});
