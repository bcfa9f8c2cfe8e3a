/** What would have happened otherwise, and two traces beside each other. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { linkOf, settle, splitUrl } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

export function forkCases(here: Here): void {
  describe("fork and compare", () => {
    pageTest(
      here,
      "a crash added at the cursor leaves the past as it was and changes the future",
      (world) => splitUrl(world, "view=spacetime&t=1500000&w=1400000_1700000"),
      async (page) => {
        await page.keyboard.press("k");
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Then", { exact: true }).selectOption({ label: "crash a node" });
        await dialog.getByLabel("Node", { exact: true }).selectOption({ label: "n1" });
        await dialog.getByRole("button", { name: "Run beside" }).click();
        const line = page.locator(".compare-line");
        await line.waitFor();
        await eventually(() => line.textContent()).toMatch(
          /The same up to 1\.500000 s.*B: fault: crash/,
        );
        await eventually(() => page.locator(".panel").count()).toBe(2);
        await eventually(() => page.locator(".metrics tbody tr").count()).toBe(2);
        const link = await linkOf(page);
        expect(link.get("b-scenario")).toMatch(/^[\w-]+$/);
        await page.keyboard.press("x");
        await settle(page);
        await eventually(() => page.locator(".panel").count()).toBe(1);
      },
    );

    pageTest(
      here,
      "a write added at the cursor appears in the other future only; a mistake is told before anything runs",
      (world) => splitUrl(world, "view=data&t=1500000"),
      async (page) => {
        await page.keyboard.press("k");
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Then", { exact: true }).selectOption({ label: "write a row" });
        const row = dialog.getByLabel("Row, as JSON", { exact: true });
        await row.fill("{nonsense");
        await dialog.getByRole("button", { name: "Run beside" }).click();
        await eventually(() => dialog.getByRole("alert").textContent()).toMatch(/not JSON/);
        await row.fill('{"k": "zz-forked", "v": "what if", "colour": 1}');
        await dialog.getByRole("button", { name: "Run beside" }).click();
        await eventually(() => dialog.getByRole("alert").textContent()).toMatch(/colour/);
        await row.fill('{"k": "zz-forked", "v": "what if"}');
        await dialog.getByRole("button", { name: "Run beside" }).click();
        await page.locator(".compare-line").waitFor();
        await page.getByRole("button", { name: "only differing" }).click();
        await page.keyboard.press("End");
        await settle(page);
        const keys = async (side: number): Promise<boolean> => {
          const panel = page.locator(".panel").nth(side);
          await panel.locator(".grid-scroll").evaluate((element) => element.scrollTo(0, 1e6));
          await settle(page);
          return (await panel.locator(".grid-key").allTextContents()).includes("'zz-forked'");
        };
        expect([await keys(0), await keys(1)]).toEqual([false, true]);
      },
    );

    pageTest(
      here,
      "a second file is compared event for event",
      (world) => splitUrl(world, "view=spacetime"),
      async (page, world) => {
        const changed = world.split.lines.map((line, i) =>
          i === 500 ? line.replace(/"t":(\d+)/, '"t":$1') : line,
        );
        const at = changed.findIndex((line, i) => i > 500 && line.includes('"bytes":'));
        const other = changed.with(at, (changed[at] ?? "").replace(/"bytes":\d+/, '"bytes":77777'));
        const path = join(world.folder, "other.ndjson");
        writeFileSync(path, other.join(""));
        await page.keyboard.press("o");
        await page.getByRole("checkbox", { name: /Compare with/ }).check();
        await page.getByLabel("From this machine").setInputFiles(path);
        await page.locator(".compare-line").waitFor();
        await eventually(() => page.locator(".compare-line").textContent()).toContain(
          `(${at - 1} events)`.replace(/(\d)(\d{3}) /, "$1,$2 "),
        );
        await page.getByRole("button", { name: "Go there" }).click();
        await settle(page);
        await page.keyboard.press("o");
        await page.getByRole("checkbox", { name: /Compare with/ }).check();
        await page.getByLabel("From this machine").setInputFiles(world.split.path);
        await eventually(() => page.locator(".compare-line").textContent()).toContain(
          "Event for event the same.",
        );
      },
    );
  });
}
