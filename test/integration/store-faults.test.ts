/** What becomes of the file when processes are killed, disks fill up, pages rot and others meddle. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Chunk } from "../../core/node/store.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { StoreError } from "../../runtime/store/store-error.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { chunkBytes, here, History, schema, stepsOf } from "./store-history.ts";
import { Kills } from "./store-kills.ts";

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "patina-faults-"));
  path = join(directory, "state.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (more = {}) => new SqliteStore({ path, actor: here, schema, chunkBytes, ...more });

/** A store after `steps` steps of the history, closed. */
function filled(steps: number): void {
  const [store, history] = [open(), new History()];
  for (let step = 0; step < steps; step++) history.take(store, step);
  store.close();
}

describe("a process that is killed", () => {
  test("BK31: loses nothing that it told, and leaves a store that fits together", async () => {
    const kills = new Kills(path);
    let held = 0;
    for (let i = 0; i < 25; i++) {
      const killed = await kills.once((i * 11) % 40, (i * 7) % 25);
      expect(killed.problems).toEqual([]);
      held = killed.held;
    }
    expect(held).toBeGreaterThan(100);
  });
});

describe("a full disk", () => {
  test("BK33: fails what does not fit, keeps all else, and goes on once there is room", () => {
    const history = new History();
    let store = open({ maxBytes: 256 * 1024 });
    let step = 0;
    let failures = 0;
    while (failures < 20) {
      try {
        history.take(store, step);
        step++;
      } catch (error) {
        expect(String(error)).toMatch(/the disk is full; make room/);
        failures++;
        // The step itself may have been taken, and only the checkpoint behind it did not fit.
        if (step % 37 === 36 && stepsOf(store) > step) step++;
      }
    }
    expect(step).toBeGreaterThan(20);
    expect(stepsOf(store)).toBe(step);
    store.abandon();
    // To look through it takes room: what waits is folded first.
    store = open();
    expect(stepsOf(store)).toBe(step);
    expect(store.check()).toEqual([]);
    for (const to = step + 60; step < to; step++) history.take(store, step);
    const model = new MemoryStore({ actor: here, schema, chunkBytes });
    for (let i = 0; i < step; i++) history.take(model, i);
    expect(store.summary().hash).toBe(model.summary().hash);
    expect(store.check()).toEqual([]);
    store.close();
  });
});

describe("a damaged file", () => {
  const everything = (store: SqliteStore): readonly Chunk[] => {
    const wants = store.holdings().map(({ actor, head }) => ({ actor, from: 1, to: head }));
    return store.serve(wants, Number.MAX_SAFE_INTEGER).chunks;
  };
  const nameOf = ({ actor, version, index }: Chunk) => `${actor} ${version} ${index}`;

  test("BK24: is found by the check, and no damaged version is ever handed out", () => {
    filled(400);
    const good = open();
    const payloads = new Map(everything(good).map((chunk) => [nameOf(chunk), chunk.payload]));
    good.close();
    const db = new Database(path);
    const pageSize = db.pragma("page_size", { simple: true }) as number;
    const pages = db.pragma("page_count", { simple: true }) as number;
    db.exec("CREATE VIRTUAL TABLE temp.pages USING dbstat(main)");
    const used = new Set(db.prepare("SELECT pageno FROM pages").pluck().all() as number[]);
    db.close();
    const whole = readFileSync(path);
    const original = path;
    let found = 0;
    let tried = 0;
    for (let page = 2; page <= pages; page += 2) {
      if (!used.has(page)) continue;
      tried++;
      path = join(directory, `damaged-${page}.db`);
      const bytes = Buffer.from(whole);
      for (let i = 0; i < pageSize; i += 5) {
        const at = (page - 1) * pageSize + i;
        bytes[at] = (bytes[at] as number) ^ 0x5a;
      }
      writeFileSync(path, bytes);
      if (isFound(payloads)) found++;
      rmSync(path);
    }
    path = original;
    expect(tried).toBeGreaterThan(15);
    expect(found).toBe(tried);
  });

  /** Damage shows when the file is opened, served from or checked; and what is served is as it was. */
  function isFound(payloads: ReadonlyMap<string, Uint8Array>): boolean {
    let store: SqliteStore | null = null;
    try {
      store = open();
      for (const chunk of everything(store)) {
        expect(Buffer.compare(chunk.payload, payloads.get(nameOf(chunk)) as Uint8Array)).toBe(0);
      }
      return store.check().length > 0;
    } catch (error) {
      expect(String(error)).toMatch(/restore a backup|SQLITE_/);
      return true;
    } finally {
      store?.abandon();
    }
  }

  test("BK24: ends all work of the store, with what to do", () => {
    filled(60);
    const db = new Database(path);
    db.exec("UPDATE patina_log SET payload = zeroblob(length(payload))");
    db.close();
    const store = open();
    expect(() => everything(store)).toThrow(
      /is damaged: the content of .*; stop the node and restore a backup/,
    );
    expect(() => store.commit(1, [])).toThrow(StoreError);
    store.abandon();
  });

  test.each(["x'00'", "x'0001'", "x'0201'", "7", "zeroblob(1000)"])(
    "BK24: ends it where the counts of what is alive are %s, and keeps nobody waiting",
    (counts) => {
      filled(60);
      const db = new Database(path);
      db.exec(`UPDATE patina_live SET counts = ${counts}`);
      db.close();
      const store = open();
      expect(() => store.check()).toThrow(/a list of what stems from versions is damaged; stop/);
      store.abandon();
    },
  );

  test("CR22: a cell changed behind the store's back is found by the check", () => {
    filled(60);
    const db = new Database(path);
    db.function("patina_writes_only_through_a_node", () => null);
    db.exec("UPDATE kv SET v = v || '?' WHERE k = (SELECT min(k) FROM kv)");
    db.exec("DELETE FROM link WHERE a = (SELECT min(a) FROM link)");
    db.close();
    const store = open();
    expect(store.check().map(({ where }) => where)).toEqual(["kv", "link"]);
    store.abandon();
  });
});

describe("a file that cannot be used is refused in one line that says what to do", () => {
  const message = (): string => {
    try {
      open().close();
    } catch (error) {
      return (error as Error).message;
    }
    return "opened";
  };

  test("BK31: written by a newer program", () => {
    filled(3);
    const db = new Database(path);
    db.pragma("user_version = 99");
    db.close();
    expect(message()).toMatch(
      /was written by a newer Patina \(layout 99; this one knows \d+\); run that one/,
    );
  });

  test("BK31: of another program, or no database at all", () => {
    const db = new Database(path);
    db.exec("CREATE TABLE theirs (x)");
    db.close();
    expect(message()).toMatch(/is a database of another program; give Patina a file of its own/);
    writeFileSync(path, Buffer.alloc(8192, 7));
    expect(message()).toMatch(/is not a SQLite database, or its first page is damaged/);
    for (const text of ["x", "a letter home", "SQLite format 3\0", "7".repeat(511)]) {
      writeFileSync(path, text);
      expect(message()).toMatch(
        new RegExp(`state\\.db is not a SQLite database \\(${text.length} bytes long\\); move it`),
      );
      expect(readFileSync(path, "utf8")).toBe(text);
    }
    writeFileSync(path, "");
    expect(message()).toBe("opened");
    path = join(directory, "none", "state.db");
    expect(message()).toMatch(/cannot be written|directory/);
    path = join(directory, "folder");
    mkdirSync(path);
    expect(message()).toMatch(/is a folder; name a file in it$/);
  });

  test("BK31: open in another store", () => {
    const store = open();
    expect(message()).toMatch(/is open in another process; stop that one/);
    store.close();
    expect(message()).toBe("opened");
  });

  test("BK31: not to be written by this user", () => {
    filled(3);
    const copy = join(directory, "copy.db");
    copyFileSync(path, copy);
    chmodSync(copy, 0o444);
    chmodSync(directory, 0o555);
    // Permissions do not hold for root, so another user tries.
    const root = process.getuid?.() === 0;
    const opener = fileURLToPath(new URL("store-opener.ts", import.meta.url));
    const { stdout } = spawnSync(process.execPath, [opener, copy], {
      encoding: "utf8",
      ...(root ? { uid: 65_534, gid: 65_534 } : {}),
    });
    chmodSync(directory, 0o755);
    expect(stdout).toMatch(/cannot be written: give the node's user write permission/);
  });
});

describe("others at the file", () => {
  test("BK31: may read everything while the store writes", () => {
    const [store, history] = [open(), new History()];
    const reader = new Database(path, { readonly: true });
    for (let step = 0; step < 50; step++) {
      history.take(store, step);
      const { rows } = reader.prepare("SELECT count(*) AS rows FROM kv").get() as { rows: number };
      expect(rows).toBe([...store.rows("kv")].length);
    }
    reader.close();
    store.close();
  });

  test("CR20: are refused by the database itself when they write", () => {
    filled(10);
    const shell = new Database(path);
    for (const statement of [
      "INSERT INTO kv VALUES ('x', 'y', 1)",
      "UPDATE kv SET n = 1",
      "DELETE FROM kv",
      "REPLACE INTO link VALUES (1, 'x')",
    ]) {
      expect(() => shell.exec(statement)).toThrow(/patina_writes_only_through_a_node/);
    }
    shell.close();
    const store = open();
    expect(store.check()).toEqual([]);
    store.close();
  });
});
