/** For everyone: keyboard alone, names for everything, small screens, dark rooms, less motion. */
import { describe, expect } from "vitest";
import type { Page } from "playwright-core";
import { keyActions } from "../../../visualizer/app/keys.ts";
import { linkOf, settle, splitUrl } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

/** Buttons, fields and links that nobody could name. */
async function nameless(page: Page): Promise<string[]> {
  return await page.evaluate(() =>
    [
      ...document.querySelectorAll(
        "button, input, select, textarea, a, [role=slider], [role=group]",
      ),
    ]
      .filter((element) => {
        const labels = (element as HTMLInputElement).labels;
        const name =
          element.getAttribute("aria-label") ??
          (labels !== null && labels !== undefined && labels.length > 0
            ? labels[0]?.textContent
            : element.textContent);
        return (name ?? "").trim() === "";
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}

export function everyoneCases(here: Here): void {
  describe("for everyone", () => {
    pageTest(
      here,
      "? tells every key and every sign, and Escape closes it",
      (world) => splitUrl(world),
      async (page) => {
        await page.keyboard.press("?");
        const dialog = page.getByRole("dialog", { name: "Keys and signs" });
        const shown = await dialog.locator("kbd").allTextContents();
        expect(shown).toEqual(expect.arrayContaining(keyActions.map((action) => action.shown)));
        await eventually(() => dialog.locator(".signs dt").count()).toBeGreaterThan(12);
        await page.keyboard.press("Escape");
        await eventually(() => page.getByRole("dialog").count()).toBe(0);
      },
    );

    pageTest(
      here,
      "every key works at any time without a complaint",
      (world) => splitUrl(world, "view=spacetime&t=2500000"),
      async (page) => {
        const keys = keyActions.flatMap((action) => {
          const key = action.keys[0] ?? "";
          return action.shift === true ? [`Shift+${key}`] : [key === " " ? "Space" : key];
        });
        for (const key of keys) {
          // "s" would run the story; it has a test of its own.
          if (key === "s") continue;
          await page.keyboard.press(key);
          await page.keyboard.press("Escape");
        }
        await settle(page);
        for (const view of ["1", "2", "3", "4", "5"]) {
          await page.keyboard.press(view);
          for (const key of ["ArrowRight", "+", "f", "Shift+F", "-", "Home", "End"])
            await page.keyboard.press(key);
          await settle(page);
        }
      },
    );

    pageTest(
      here,
      "Tab goes through the page in reading order, and always shows where it is",
      (world) => splitUrl(world, "view=spacetime"),
      async (page) => {
        const order: string[] = [];
        for (let press = 0; press < 24; press++) {
          await page.keyboard.press("Tab");
          const where = await page.evaluate(() => {
            const element = document.activeElement as HTMLElement;
            const style = getComputedStyle(element);
            const visible =
              style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) > 0;
            return `${visible ? "" : "UNSEEN "}${element.getAttribute("aria-label") ?? element.textContent ?? ""}`;
          });
          order.push(where.trim());
        }
        expect(order[0]).toBe("Skip to the view");
        expect(order.slice(1, 5)).toEqual(["Patina", "Open", "Run", "Fork"]);
        expect(order).toEqual(expect.arrayContaining(["Space-time", "Data", "swim"]));
        expect(order.filter((one) => one.startsWith("UNSEEN"))).toEqual([]);
      },
    );

    pageTest(
      here,
      "everything that can be used has a name, in every view and dialog",
      (world) => splitUrl(world, "view=spacetime&t=3500000"),
      async (page) => {
        for (const view of ["1", "2", "3", "4", "5"]) {
          await page.keyboard.press(view);
          await settle(page);
          expect(await nameless(page)).toEqual([]);
        }
        for (const dialog of ["o", "r", "k", "?"]) {
          await page.keyboard.press(dialog);
          expect(await nameless(page)).toEqual([]);
          await page.keyboard.press("Escape");
        }
      },
    );

    pageTest(
      here,
      "a phone has everything within its width, and the inspector as a sheet",
      (world) => splitUrl(world, "view=spacetime&t=2000000&w=1900000_2200000"),
      async (page) => {
        const overflow = (): Promise<number> =>
          page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
        for (const view of ["Space-time", "Cluster", "Membership", "Convergence", "Data"]) {
          await page.getByRole("button", { name: view, exact: true }).click();
          await settle(page);
          expect(await overflow(), view).toBeLessThanOrEqual(0);
        }
        await eventually(() => page.locator(".inspector").isVisible()).toBe(false);
        await page.locator("button.grid-cell").first().click();
        await settle(page);
        await eventually(() => page.locator(".inspector").isVisible()).toBe(true);
      },
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    );

    pageTest(
      here,
      "dark follows the system, and the choice is kept",
      (world) => splitUrl(world),
      async (page) => {
        const theme = (): Promise<string | undefined> =>
          page.evaluate(() => document.documentElement.dataset["theme"]);
        await eventually(() => theme()).toBe("dark");
        await page.getByRole("button", { name: /Light or dark/ }).click();
        await eventually(() => theme()).toBe("light");
        await page.reload();
        await eventually(theme).toBe("light");
      },
      { colorScheme: "dark" },
    );

    pageTest(
      here,
      "with reduced motion playing goes in steps",
      (world) => splitUrl(world, "view=cluster&t=1000000"),
      async (page) => {
        await page.keyboard.press("Space");
        const times = new Set<string | null>();
        const until = Date.now() + 1300;
        while (Date.now() < until)
          times.add(await page.locator(".view-minimap").getAttribute("aria-valuenow"));
        expect(times.size).toBeGreaterThan(1);
        expect(times.size).toBeLessThan(8);
        await page.keyboard.press("Space");
        await linkOf(page);
      },
      { reducedMotion: "reduce" },
    );
  });
}
