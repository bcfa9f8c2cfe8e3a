/** The guided story of a split, from the empty page to its end. */
import { describe, expect } from "vitest";
import { storySteps } from "../../../visualizer/ui/story-steps.ts";
import { settle } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

export function storyCases(here: Here): void {
  describe("story", () => {
    pageTest(
      here,
      "leads through every step and leaves the run open",
      (world) => world.server.url.replace(/\?.*/, ""),
      async (page) => {
        await page.getByRole("button", { name: "Take the tour" }).click();
        const card = page.getByRole("region", { name: "The story of a split" });
        await card.waitFor();
        const seen: string[] = [];
        const views = new Set<string>();
        for (const [i, step] of storySteps.entries()) {
          await eventually(() => card.locator("h2").textContent()).toBe(step.title);
          await settle(page);
          seen.push((await card.locator("p").textContent()) ?? "");
          views.add((await page.locator('.tab[aria-current="page"]').textContent()) ?? "");
          if (step.title === "One key, two truths")
            await eventually(() => page.locator(".explanation").textContent()).toMatch(
              /the later stamp wins|larger (counter|actor)/,
            );
          await card
            .getByRole("button", {
              name: i === storySteps.length - 1 ? "End" : "Next",
              exact: true,
            })
            .click();
        }
        expect(new Set(seen).size).toBe(storySteps.length);
        expect([...views].sort()).toEqual([
          "Cluster",
          "Convergence",
          "Data",
          "Membership",
          "Space-time",
        ]);
        await eventually(() => card.isVisible()).toBe(false);
        await eventually(() => page.locator(".trace-name").textContent()).toBe("split-heal");
      },
      { empty: true },
    );
  });
}
