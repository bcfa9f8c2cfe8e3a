/**
 * Builds what the published package holds, into `dist/`: JavaScript and types of core, sim and
 * runtime, the entries of `exports/`, and the visualizer's page. `npm pack` runs it (`prepack`).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

/** Scripts of workers and child processes are named by URL, which the compiler leaves as it is. */
const scriptUrl = /new URL\("(\.{1,2}\/[^"]+)\.ts", import\.meta\.url\)/g;

rmSync(dist, { recursive: true, force: true });
run("tsc", "-p", "packaging/tsconfig.json");
const page = join(dist, "visualizer/dist");
run("vite", "build", "visualizer", "--outDir", page, "--emptyOutDir", "--logLevel", "error");
for (const file of filesUnder(dist)) if (file.endsWith(".js")) nameBuiltScripts(file);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
writeFileSync(join(dist, "package.json"), `${JSON.stringify({ version, type: "module" })}\n`);

function run(tool, ...args) {
  const { status } = spawnSync(join(root, "node_modules/.bin", tool), args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
}

function nameBuiltScripts(file) {
  const text = readFileSync(file, "utf8");
  const named = text.replace(scriptUrl, 'new URL("$1.js", import.meta.url)');
  for (const [, path] of named.matchAll(/new URL\("(\.{1,2}\/[^"]+\.js)", import\.meta\.url\)/g)) {
    if (!existsSync(join(file, "..", path))) throw new Error(`${file} names ${path}: not built`);
  }
  if (named !== text) writeFileSync(file, named);
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
