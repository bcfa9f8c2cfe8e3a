import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { frugalEnvironment } from "../../../runtime/ipc/frugal.ts";

it("a process from sources holds no compiler of types from the second start on, its first file included", () => {
  const dir = mkdtempSync(join(tmpdir(), "patina-frugal-"));
  const script = join(dir, "holds.ts");
  writeFileSync(
    script,
    'const loaded: string[] = (process as any).moduleLoadList;\nconsole.log(loaded.some((name) => name.includes("amaro")));\n',
  );
  const { NODE_DISABLE_COMPILE_CACHE: _, ...env } = process.env;
  const start = (): string => {
    const kept = { ...env, NODE_COMPILE_CACHE: join(dir, "kept") };
    const { stdout } = spawnSync(process.execPath, [script], {
      env: frugalEnvironment(kept),
      encoding: "utf8",
    });
    return stdout.trim();
  };
  try {
    expect([start(), start()]).toEqual(["true", "false"]);
    expect(frugalEnvironment({})).toHaveProperty("NODE_COMPILE_CACHE");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
