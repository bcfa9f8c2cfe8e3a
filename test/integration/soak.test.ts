/** The soak for some seconds; for longer: `npm run soak`. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runSoak } from "../soak/soak.ts";

test("no acknowledged write is lost, and all agree, through kills, pauses and restarts", async () => {
  const said: string[] = [];
  const result = await runSoak({
    seed: "suite",
    nodes: 3,
    network: "proxies",
    ms: 8000,
    dir: mkdtempSync(join(tmpdir(), "patina-soak-")),
    tell: (line) => said.push(line),
  });
  expect(result.wrong, said.join("\n")).toBeNull();
  expect(result.acknowledged).toBeGreaterThan(20);
  expect(Object.values(result.faults).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
}, 300_000);
