/** The package: packed, put into an empty folder beside nothing but what it says that it needs, and run there. */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "patina-package-"));
const installed = join(folder, "node_modules/patina");
const program = join(installed, "packaging/patina.mjs");
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

const node = async (...args: string[]): Promise<string> => {
  const { stdout } = await run(process.execPath, args, { cwd: folder });
  return stdout;
};

const consumer = `
import { startAgent, SqliteStore } from "patina";
import { PatinaClient } from "patina/client";
import { Replica } from "patina/core";
import { memoryStores, runScenario } from "patina/sim";
import { parseTraceLine } from "patina/trace";
export const all = [startAgent, SqliteStore, Replica, memoryStores, runScenario, parseTraceLine];
export const client = new PatinaClient({ address: "http://127.0.0.1:8080" });
export const answer: Promise<{ readonly version: number | bigint | null }> = client.transact(["SELECT 1"]);
`;

/** What a program said that failed. */
function saidBy(error: unknown): string {
  const { stdout, stderr } = error as { stdout: string; stderr: string };
  return stdout + stderr;
}

beforeAll(async () => {
  const npm = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root });
  mkdirSync(installed, { recursive: true });
  await run("tar", ["xzf", join(folder, npm.stdout.trim()), "-C", installed, "--strip", "1"]);
  // As an installation from a registry lays them, but without waiting for one.
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  test("the program simulates", async () => {
    const out = await node(program, "sim", "split-heal", "--seed", "1");
    expect(out).toContain("split-heal");
  });

  test("a real cluster of installed nodes replicates and survives a kill", async () => {
    const dir = join(folder, "demo");
    const out = await node(program, "demo", "--once", "--nodes", "2", "--dir", dir);
    expect(out).toContain("All 2 nodes hold the same");
  });

  test("each entry can be imported, and has types", async () => {
    const script = `
      const { startAgent, SqliteStore } = await import("patina");
      const { PatinaClient } = await import("patina/client");
      const { Replica } = await import("patina/core");
      const { runScenario, memoryStores } = await import("patina/sim");
      const { parseTraceLine } = await import("patina/trace");
      const all = [startAgent, SqliteStore, PatinaClient, Replica, runScenario, memoryStores, parseTraceLine];
      console.log(all.map((one) => typeof one).join(" "));`;
    const out = await node("--input-type=module", "-e", script);
    expect(out.trim()).toBe(Array.from({ length: 7 }, () => "function").join(" "));
    const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
      exports: Record<string, { types: string } | string>;
    };
    for (const entry of Object.values(exports)) {
      if (typeof entry === "string") continue;
      expect(readFileSync(join(installed, entry.types), "utf8")).toMatch(/export/);
    }
  });

  test("a program that uses each entry is checked by the compiler", async () => {
    writeFileSync(join(folder, "consumer.ts"), consumer);
    const options = { strict: true, module: "nodenext", target: "esnext", noEmit: true };
    const compilerOptions = { ...options, types: ["node"], skipLibCheck: false };
    const types = join(folder, "node_modules/@types/node");
    mkdirSync(dirname(types), { recursive: true });
    symlinkSync(join(root, "node_modules/@types/node"), types);
    const project = { compilerOptions, files: ["consumer.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const checked = async (): Promise<string> => await node(tsc, "-p", folder).catch(saidBy);
    expect(await checked()).toBe("");
    // What is wrong is found: the types are not `any`.
    writeFileSync(join(folder, "consumer.ts"), `${consumer}\nclient.transact(7);\n`);
    expect(await checked()).toContain("consumer.ts");
  });

  test("an older Node.js is told what is wrong", async () => {
    const file = join(installed, "package.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('">=24.10"', '">=99.1"'));
    const said = await node(program, "--help").catch(saidBy);
    writeFileSync(file, text);
    expect(said).toContain("Patina needs 99.1 or later");
  });

  test("what its pages link to is in it", () => {
    const docs = join(installed, "docs");
    const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
    const broken = ["README.md", ...pages.map((name) => `docs/${name}`)].flatMap((page) => {
      const links = readFileSync(join(installed, page), "utf8").matchAll(
        /\]\((?!https?:)([^)#\s]+)[^)]*\)/g,
      );
      return [...links]
        .map(([, to = ""]) => to)
        .filter((to) => !existsSync(join(installed, dirname(page), to)))
        .map((to) => `${page}: ${to}`);
    });
    expect(broken).toEqual([]);
  });

  test("the page of the visualizer is in it", () => {
    expect(readFileSync(join(installed, "dist/visualizer/dist/index.html"), "utf8")).toMatch(
      /script/,
    );
  });
});
