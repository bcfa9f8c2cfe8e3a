/** Moving through time: playing, steps, jumps, loops, the minimap. */
import { describe, expect } from "vitest";
import type { Page } from "playwright-core";
import { linkOf, settle, splitUrl } from "../browser.ts";
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
        expect(await cursor(page)).toBe(stopped);
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
        expect(await page.locator('.event-list [aria-current="time"]').textContent()).toMatch(
          /receives/,
        );
      },
    );

    pageTest(
      here,
      "jumps to the next fault, divergence and convergence, and back with Shift",
      (world) => splitUrl(world, "view=spacetime&t=500000"),
      async (page) => {
        await page.keyboard.press("f");
        await settle(page);
        expect(await cursor(page)).toBe(2_000_000);
        await page.keyboard.press("f");
        await settle(page);
        expect(await cursor(page)).toBe(3_000_000);
        await page.keyboard.press("Shift+F");
        await settle(page);
        expect(await cursor(page)).toBe(2_000_000);
        await page.keyboard.press("End");
        await page.keyboard.press("Shift+C");
        await settle(page);
        expect(await page.locator(".status").textContent()).toMatch(/running nodes agree/);
        await page.keyboard.press("d");
        await settle(page);
        expect(await page.getByRole("button", { name: /^Next violation/ }).isDisabled()).toBe(true);
      },
    );

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
        await settle(page);
        expect(Math.abs((await cursor(page)) - 4_000_000)).toBeLessThan(end / 500);
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
