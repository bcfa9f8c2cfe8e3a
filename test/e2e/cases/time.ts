/** Moving through time: playing, steps, jumps, loops, the minimap. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { startReplayServer } from "../../../runtime/replay/server.ts";
import { linkOf, openPage, settle, splitUrl, whenOpen } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

async function cursor(page: Page): Promise<number> {
  const value = await page.locator(".view-minimap").getAttribute("aria-valuenow");
  return Number(value);
}

export function timeCases(here: Here): void {
  describe("time", () => {
    pageTest(
      here,
      "plays at the chosen speed and pauses",
      (world) => splitUrl(world, "view=cluster&t=0"),
      async (page) => {
        await page.getByLabel("Speed").selectOption({ label: "4×" });
        await page.getByRole("button", { name: /^Play/ }).click();
        await eventually(() => cursor(page)).toBeGreaterThan(400_000);
        await page.getByRole("button", { name: /^Pause/ }).click();
        await settle(page);
        const stopped = await cursor(page);
        await page.waitForTimeout(150);
        await eventually(() => cursor(page)).toBe(stopped);
      },
    );

    pageTest(
      here,
      "steps by event and by delivery, and lists the events around the cursor",
      (world) => splitUrl(world, "view=spacetime&t=0&e=10"),
      async (page) => {
        for (const [key, event] of [
          ["ArrowRight", 11],
          ["ArrowRight", 12],
          ["ArrowLeft", 11],
        ] as const) {
          await page.keyboard.press(key);
          expect((await linkOf(page)).get("e")).toBe(String(event));
        }
        await page.keyboard.press(".");
        await settle(page);
        await eventually(() =>
          page.locator('.event-list [aria-current="time"]').textContent(),
        ).toMatch(/receives/);
      },
    );

    pageTest(
      here,
      "jumps to the next fault, divergence and convergence, and back with Shift",
      (world) => splitUrl(world, "view=spacetime&t=500000"),
      async (page) => {
        await page.keyboard.press("f");
        await settle(page);
        await eventually(() => cursor(page)).toBe(2_000_000);
        await page.keyboard.press("f");
        await settle(page);
        await eventually(() => cursor(page)).toBe(3_000_000);
        await page.keyboard.press("Shift+F");
        await settle(page);
        await eventually(() => cursor(page)).toBe(2_000_000);
        await page.keyboard.press("End");
        await page.keyboard.press("Shift+C");
        await settle(page);
        await eventually(() => page.locator(".status").textContent()).toMatch(
          /running nodes agree/,
        );
        await page.keyboard.press("d");
        await settle(page);
        expect(await page.getByRole("button", { name: /^Next violation/ }).isDisabled()).toBe(true);
      },
    );

    test("jumps to the violation that a trace reports, and tells what broke", async () => {
      const world = here();
      const path = join(world.folder, "violated.ndjson");
      const after = world.split.lines.findIndex((line) => /^\{"t":(4\d{6}),/.test(line));
      const t = Number(/\d+/.exec(world.split.lines[after] ?? "")?.[0]);
      const broken = { t, n: 0, k: "violation", check: "convergence", detail: "k1 differs" };
      writeFileSync(
        path,
        world.split.lines.toSpliced(after, 0, `${JSON.stringify(broken)}\n`).join(""),
      );
      const { assets } = world;
      const server = await startReplayServer({
        assets,
        trace: path,
        live: null,
        port: 0,
        host: "127.0.0.1",
      });
      const { page, complaints, close } = await openPage(world, `${server.url}#t=0`);
      await whenOpen(page);
      await page.getByRole("button", { name: /^Next violation/ }).click();
      await eventually(() => cursor(page)).toBe(t);
      await eventually(() => page.locator(".inspector").textContent()).toContain("k1 differs");
      expect(complaints).toEqual([]);
      await close();
      await server.close();
    });

    pageTest(
      here,
      "loops the window shown",
      (world) => splitUrl(world, "view=spacetime&t=2000000&w=2000000_2100000&speed=0.25"),
      async (page) => {
        await page.keyboard.press("l");
        await page.keyboard.press(" ");
        const seen: number[] = [];
        await eventually(async () => {
          seen.push(await cursor(page));
          return seen.some((t, i) => i > 0 && t < (seen[i - 1] as number));
        }).toBe(true);
        expect(Math.min(...seen)).toBeGreaterThanOrEqual(2_000_000);
        expect(Math.max(...seen)).toBeLessThanOrEqual(2_100_000);
        expect((await linkOf(page)).get("loop") ?? "playing").toMatch(/2000000_2100000|playing/);
      },
    );

    pageTest(
      here,
      "the minimap scrubs, and its bar moves and resizes the window",
      (world) => splitUrl(world, "view=spacetime&t=0&w=1000000_3000000"),
      async (page) => {
        const box = await page.locator(".view-minimap").boundingBox();
        if (box === null) throw new Error("no minimap");
        const end = Number(await page.locator(".view-minimap").getAttribute("aria-valuemax"));
        const x = (t: number): number => box.x + 12 + (t / end) * (box.width - 24);
        await page.mouse.click(x(4_000_000), box.y + 40);
        await eventually(async () => Math.abs((await cursor(page)) - 4_000_000)).toBeLessThan(
          end / 500,
        );
        await page.mouse.move(x(2_000_000), box.y + 5);
        await page.mouse.down();
        await page.mouse.move(x(4_000_000), box.y + 5, { steps: 4 });
        await page.mouse.up();
        const [from = 0, to = 0] = ((await linkOf(page)).get("w") ?? "").split("_").map(Number);
        expect(Math.abs(from - 3_000_000)).toBeLessThan(end / 200);
        expect(Math.abs(to - from - 2_000_000)).toBeLessThan(end / 200);
      },
    );
  });
}
