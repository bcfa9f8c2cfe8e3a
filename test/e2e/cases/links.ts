/** A link restores everything that was on the screen. */
import { deflateRawSync } from "node:zlib";
import { describe, expect } from "vitest";
import { canvasesOf, linkOf, mostApart, openPage, settle, splitUrl, whenOpen } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

/** More lanes than there is room for, and soon over. */
const manyNodes = {
  nodes: 40,
  durationMs: 1500,
  workload: [{ kind: "random", fromMs: 0, toMs: 1500, ratePerSec: 20, keys: 10 }],
};

const wide = { width: 1360, height: 620 };

/** As links hold a scenario. */
function packed(scenario: unknown): string {
  return deflateRawSync(JSON.stringify(scenario)).toString("base64url");
}

export function linkCases(here: Here): void {
  describe("deep links", () => {
    pageTest(
      here,
      "view, time, zoom, selection and filters come back, to the last pixel",
      (world) => splitUrl(world),
      async (page, world) => {
        await page.keyboard.press("f");
        await page.keyboard.press("+");
        await page.keyboard.press("+");
        await page.keyboard.press(".");
        await page.keyboard.press("e");
        await page.getByRole("button", { name: "swim", exact: true }).click();
        await page.getByLabel("Below").selectOption({ label: "Cluster" });
        await page.mouse.move(5, 5);
        await settle(page);
        const link = await linkOf(page);
        expect([...link.keys()]).toEqual(
          expect.arrayContaining([
            "trace",
            "view",
            "split",
            "t",
            "w",
            "e",
            "sel",
            "eyes",
            "planes",
          ]),
        );
        const canvases = await canvasesOf(page, ".stage");
        const picture = await page.locator(".stage").screenshot();
        const again = await openPage(world, page.url().replace(/\?[^#]*/, ""));
        await whenOpen(again.page);
        expect((await linkOf(again.page)).toString()).toBe(link.toString());
        await eventually(() => canvasesOf(again.page, ".stage")).toEqual(canvases);
        const restored = await again.page.locator(".stage").screenshot();
        expect(await mostApart(page, picture, restored)).toBeLessThan(8);
        expect(again.complaints).toEqual([]);
        await again.close();
      },
    );

    pageTest(
      here,
      "both futures of a fork come back, and the lanes where they were scrolled to",
      (world) =>
        `${world.server.url.replace(/\?.*/, "")}#scenario=${packed(manyNodes)}&seed=link&view=spacetime&t=1000000&w=980000_1020000`,
      async (page, world) => {
        await page.keyboard.press("k");
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Then", { exact: true }).selectOption({ label: "crash a node" });
        await dialog.getByRole("button", { name: "Run beside" }).click();
        await page.locator(".compare-line").waitFor();
        for (let press = 0; press < 3; press++) await page.keyboard.press("PageDown");
        await page.keyboard.press("n");
        await page.mouse.move(5, 5);
        await settle(page);
        const link = await linkOf(page);
        expect(Number(link.get("lane"))).toBeGreaterThan(5);
        expect(link.get("sel")).toBe("node.0");
        const canvases = await canvasesOf(page, ".panels");
        expect(canvases.length).toBe(4);
        const again = await openPage(world, page.url(), { viewport: wide });
        await whenOpen(again.page);
        await again.page.locator(".compare-line").waitFor();
        await settle(again.page);
        expect((await linkOf(again.page)).toString()).toBe(link.toString());
        await eventually(() => canvasesOf(again.page, ".panels")).toEqual(canvases);
        expect(again.complaints).toEqual([]);
        await again.close();
      },
      { viewport: wide },
    );

    pageTest(
      here,
      "seed and scenario stand for the file",
      (world) =>
        `${world.server.url.replace(/\?.*/, "")}#run=control&seed=link&nodes=3&view=members&t=1000000`,
      async (page) => {
        await eventually(() => page.locator(".trace-name").textContent()).toBe("control");
        await eventually(() => page.locator(".trace-detail").textContent()).toBe(
          "seed link · 3 nodes",
        );
        const link = await linkOf(page);
        expect([
          link.get("run"),
          link.get("seed"),
          link.get("nodes"),
          link.get("view"),
          link.get("t"),
        ]).toEqual(["control", "link", "3", "members", "1000000"]);
      },
    );

    pageTest(
      here,
      "a link to a file asks for it, and restores the view when it is dropped",
      (world) => `${world.server.url.replace(/\?.*/, "")}#file=split.ndjson.gz&view=data&t=1234000`,
      async (page, world) => {
        await eventually(() => page.locator(".status").textContent()).toMatch(
          /split\.ndjson\.gz: drop it here/,
        );
        await page.locator("#welcome-file").setInputFiles(world.split.path);
        await whenOpen(page);
        const link = await linkOf(page);
        expect([link.get("view"), link.get("t")]).toEqual(["data", "1234000"]);
      },
      { empty: true },
    );

    pageTest(
      here,
      "an address changed by hand takes effect",
      (world) => splitUrl(world, "view=spacetime"),
      async (page) => {
        await page.evaluate(() => {
          location.hash = "view=convergence&t=2500000";
        });
        await eventually(() => page.locator(".view-convergence").count()).toBe(1);
        expect((await linkOf(page)).get("t")).toBe("2500000");
      },
    );
  });
}
