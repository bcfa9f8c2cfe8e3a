/** What can be taken away: pictures, the scenario, a trace for another tool. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import type { Page } from "playwright-core";
import { scenario, splitUrl } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

async function exported(page: Page, item: RegExp): Promise<{ name: string; bytes: Buffer }> {
  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: item }).click();
  const file = await download;
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

export function exportCases(here: Here): void {
  describe("export", () => {
    pageTest(
      here,
      "gives the view as PNG and SVG, the scenario, and a trace for Perfetto",
      (world) => splitUrl(world, "view=spacetime&t=2000000&w=1900000_2200000"),
      async (page, world) => {
        const png = await exported(page, /PNG/);
        expect(png.name).toBe("short-split.png");
        expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
        expect(png.bytes.length).toBeGreaterThan(10_000);

        const svg = (await exported(page, /SVG/)).bytes.toString();
        const parsed = await page.evaluate((text) => {
          const parsedSvg = new DOMParser().parseFromString(text, "image/svg+xml");
          return {
            wrong: parsedSvg.querySelector("parsererror")?.textContent ?? null,
            paths: parsedSvg.querySelectorAll("path").length,
            texts: [...parsedSvg.querySelectorAll("text")].map((one) => one.textContent),
          };
        }, svg);
        expect(parsed.wrong).toBeNull();
        expect(parsed.paths).toBeGreaterThan(20);
        expect(parsed.texts).toEqual(expect.arrayContaining(["n0", "n4", "2 s"]));

        const file = JSON.parse((await exported(page, /Scenario/)).bytes.toString()) as Record<
          string,
          unknown
        >;
        expect(file["seed"]).toBe("1");
        expect(scenario(file)).toMatchObject({ name: "short-split", durationMs: 6000 });

        const perfetto = JSON.parse((await exported(page, /Perfetto/)).bytes.toString()) as {
          traceEvents: { ph: string }[];
        };
        const sends = world.split.lines.filter((line) => line.includes('"k":"send"')).length;
        expect(perfetto.traceEvents.filter(({ ph }) => ph === "s")).toHaveLength(sends);
      },
    );

    pageTest(
      here,
      "every picture can be had as SVG",
      (world) => splitUrl(world, "view=cluster&t=3500000"),
      async (page) => {
        for (const key of ["2", "3", "4"]) {
          await page.keyboard.press(key);
          const { bytes } = await exported(page, /SVG/);
          expect(bytes.toString()).toMatch(/^<svg [\s\S]+<path[\s\S]+<\/svg>\n$/);
        }
        await page.keyboard.press("5");
        await page.getByRole("button", { name: "Export" }).click();
        await page.getByRole("menuitem", { name: /SVG/ }).click();
        await eventually(() => page.locator(".status").textContent()).toContain(
          "This view is a table",
        );
      },
    );
  });
}
