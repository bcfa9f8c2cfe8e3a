/** Each view on a recorded trace: it draws, it answers the pointer, it goes with the others. */
import { describe, expect } from "vitest";
import { coloursOf, linkOf, settle, splitUrl, whenOpen } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

export function viewCases(here: Here): void {
  describe("views", () => {
    pageTest(
      here,
      "space-time shows lanes, messages, the cut and the crash, from the whole run to a microsecond",
      (world) => splitUrl(world, "view=spacetime"),
      async (page) => {
        const box = page.locator(".view-spacetime");
        await eventually(() => coloursOf(page, ".view-spacetime")).toBeGreaterThan(20);
        await box.hover({ position: { x: 600, y: 300 } });
        // A handful of fractions of a second as wheel turns, down to the resolution of the trace.
        for (let turn = 0; turn < 12; turn++) await page.mouse.wheel(0, -2000);
        await settle(page);
        const [from = 0, to = 0] = ((await linkOf(page)).get("w") ?? "").split("_").map(Number);
        expect(to - from).toBeCloseTo(1, 3);
        await page.keyboard.press("0");
        await settle(page);
        await eventually(() => page.locator(".window-length").textContent()).toMatch(
          /^showing 1\d\.\d{3} s$/,
        );
      },
    );

    pageTest(
      here,
      "a commit under the pointer tells what it is, and a click opens it with its cone",
      (world) => splitUrl(world, "view=spacetime"),
      async (page, world) => {
        const commit = world.split.lines.findIndex((line) => line.includes('"k":"commit"'));
        const { t, n, version } = JSON.parse(world.split.lines[commit] ?? "") as {
          t: number;
          n: number;
          version: number;
        };
        await page.goto(splitUrl(world, `view=spacetime&t=0&w=${t - 5000}_${t + 5000}`));
        await page.reload();
        await whenOpen(page);
        const box = await page.locator(".view-spacetime").boundingBox();
        if (box === null) throw new Error("no view");
        const laneHeight = Math.min(150, (box.height - 32) / 5);
        const y = box.y + 26 + (n + 0.5) * laneHeight;
        let found = false;
        for (let x = box.x + box.width / 2; x < box.x + box.width / 2 + 80 && !found; x += 3) {
          await page.mouse.move(x, y);
          found = (await page.locator(".view-spacetime .tip-title").allTextContents()).includes(
            `n${n} commits n${n}:${version}`,
          );
          if (found) await page.mouse.click(x, y);
        }
        expect(found).toBe(true);
        await settle(page);
        await eventually(() => page.locator(".inspector h2").textContent()).toBe(
          `n${n} commits n${n}:${version}`,
        );
        await eventually(() => page.locator(".cone").textContent()).toContain(
          "can have influenced",
        );
        await page.getByRole("button", { name: "Show its spread" }).click();
        expect((await linkOf(page)).get("view")).toBe("convergence");
      },
    );

    pageTest(
      here,
      "the links of an event lead to its other end and back",
      (world) => splitUrl(world, "view=spacetime&e=40"),
      async (page) => {
        const title = page.locator(".inspector h2");
        await page.keyboard.press(".");
        await settle(page);
        await eventually(() => title.textContent()).toMatch(/receives/);
        const received = await title.textContent();
        await page.locator(".links button", { hasText: "begins" }).click();
        await settle(page);
        await eventually(() => title.textContent()).toMatch(/sends/);
        await page.locator(".links button", { hasText: "ends" }).first().click();
        await settle(page);
        await eventually(() => title.textContent()).toBe(received);
      },
    );

    pageTest(
      here,
      "the cluster stands on a ring, on a map and by force, cut in hulls, through a node's eyes",
      (world) => splitUrl(world, "view=cluster&t=3500000"),
      async (page) => {
        for (const layout of ["ring", "map", "force"]) {
          await page.getByRole("button", { name: layout, exact: true }).click();
          await settle(page);
          await eventually(() => coloursOf(page, ".view-cluster")).toBeGreaterThan(0);
          expect((await linkOf(page)).get("layout") ?? "ring").toBe(layout);
        }
        await page.getByRole("button", { name: "tree", exact: true }).click();
        await page.getByLabel("Eyes").selectOption({ label: "n0" });
        const link = await linkOf(page);
        expect([link.get("eyes"), link.get("tree")]).toEqual(["0", "1"]);
      },
    );

    pageTest(
      here,
      "the membership matrix tells what each believes of each, and since when",
      (world) => splitUrl(world, "view=members&t=4900000"),
      async (page, world) => {
        await eventually(() => coloursOf(page, ".view-members")).toBeGreaterThan(4);
        const box = await page.locator(".view-members").boundingBox();
        if (box === null) throw new Error("no view");
        const titles: string[] = [];
        for (let x = box.x + 60; x < box.x + 620; x += 40) {
          await page.mouse.move(x, box.y + 100);
          titles.push(...(await page.locator(".view-members .tip-title").allTextContents()));
        }
        expect(titles.some((title) => /^n0 about n[1-4]$/.test(title))).toBe(true);
        expect(world.split.lines.some((line) => line.includes('"k":"member"'))).toBe(true);
      },
    );

    pageTest(
      here,
      "convergence draws its charts, and the spread of the write before the cursor",
      (world) => splitUrl(world, "view=convergence&t=1500000"),
      async (page) => {
        await eventually(() => coloursOf(page, ".view-convergence")).toBeGreaterThan(20);
        const box = await page.locator(".view-convergence").boundingBox();
        if (box === null) throw new Error("no view");
        await page.mouse.move(box.x + box.width / 2, box.y + 60);
        await eventually(() => page.locator(".view-convergence .tip").textContent()).toMatch(
          /different states/,
        );
        await page.mouse.click(box.x + box.width * 0.25, box.y + 60);
        const t = Number((await linkOf(page)).get("t"));
        expect(t).toBeGreaterThan(1_600_000);
        expect(t).toBeLessThan(5_000_000);
      },
    );

    pageTest(
      here,
      "two views lie below each other and share cursor and selection",
      (world) => splitUrl(world, "view=spacetime&split=cluster&t=1000000"),
      async (page) => {
        await eventually(() => page.locator(".panel").count()).toBe(2);
        await page.getByLabel("Below").selectOption({ label: "Data" });
        await settle(page);
        await eventually(() => page.locator(".panel .data-view").count()).toBe(1);
        await page.keyboard.press("b");
        await settle(page);
        await eventually(() => page.locator(".panel").count()).toBe(1);
      },
    );
  });
}
