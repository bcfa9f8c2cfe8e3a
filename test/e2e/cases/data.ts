/** Where the nodes' data differ, and why a value won. */
import { describe, expect } from "vitest";
import { linkOf, settle, splitUrl } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

export function dataCases(here: Here): void {
  describe("data", () => {
    pageTest(
      here,
      "shows what each side lacks before healing, and nothing at the end",
      (world) => splitUrl(world, "view=data&t=4990000"),
      async (page) => {
        await eventually(() => page.locator(".data-summary").textContent()).toMatch(
          /^0 of 5 nodes hold the merge/,
        );
        await eventually(() => page.locator(".diff td.apart").count()).toBe(5);
        await page.keyboard.press("End");
        await settle(page);
        await eventually(() => page.locator(".data-summary").textContent()).toMatch(
          /^Every node holds/,
        );
        await eventually(() => page.locator(".data-shown").textContent()).toMatch(/no row differs/);
        await page.getByRole("button", { name: "only differing" }).click();
        await settle(page);
        await eventually(() =>
          page.locator(".grid-body .grid-line:not([hidden])").count(),
        ).toBeGreaterThan(10);
      },
    );

    pageTest(
      here,
      "a cell opened lists every candidate and says in words why the winner won",
      (world) => splitUrl(world, "view=data&t=4990000"),
      async (page) => {
        await page.locator("button.grid-cell.differs").first().click();
        await settle(page);
        const inspector = page.locator(".inspect-selection");
        await eventually(() => inspector.locator("h2").textContent()).toMatch(/^kv\['k\d+'\]$/);
        await eventually(() => inspector.locator(".columns tr.differs").count()).toBeGreaterThan(0);
        await inspector.locator(".columns tr.differs button").first().click();
        await settle(page);
        await eventually(() => inspector.locator("h2").textContent()).toMatch(
          /^kv\['k\d+'\]\.[vn]$/,
        );
        const words = (await inspector.locator(".explanation").textContent()) ?? "";
        expect(words).toMatch(/n[0-4] shows .+written by n[0-4]:\d+|default|deleted/);
        expect(words).toMatch(/has not received n[0-4]:\d+/);
        await eventually(() => inspector.locator(".candidates tbody tr").count()).toBeGreaterThan(
          1,
        );
        expect((await linkOf(page)).get("sel")).toMatch(/^cell\.\d+\.\d\.\d$/);
        await inspector.locator(".candidates .link").first().click();
        await settle(page);
        await eventually(() => inspector.locator("h2").textContent()).toMatch(/commits/);
      },
    );

    pageTest(
      here,
      "the final state is another reference than what was written so far",
      (world) => splitUrl(world, "view=data&t=1000000"),
      async (page) => {
        await page.getByRole("button", { name: "the final state" }).click();
        await settle(page);
        await eventually(() => page.locator(".data-summary").textContent()).toMatch(
          /^0 of 5 nodes hold the final state/,
        );
        expect((await linkOf(page)).get("against")).toBe("end");
      },
    );
  });
}
