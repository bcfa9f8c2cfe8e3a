/** Live mode against a real cluster: nodes as processes, each serving the page and its live trace. */
import { describe, expect, test } from "vitest";
import { startReplayServer } from "../../../runtime/replay/server.ts";
import { startedCluster } from "../../integration/node-process.ts";
import { coloursOf, linkOf, openPage, settle, whenOpen } from "../browser.ts";
import { eventually, type Here } from "../case.ts";

export function nodeCases(here: Here): void {
  describe("a real cluster", () => {
    test("the page of a node shows its writes, its members, and their loss as they happen", async () => {
      const cluster = await startedCluster();
      const node = cluster.node(0);
      const answer = await fetch(new URL("/ui/", node.api));
      expect(answer.headers.get("content-security-policy")).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';.*connect-src 'self';/,
      );
      const { page, complaints, close } = await openPage(here(), new URL("/ui/", node.api).href);
      await whenOpen(page);
      await eventually(() => page.locator(".live-badge").textContent()).toBe("live");
      await eventually(() => page.locator(".trace-detail").textContent()).toBe("3 nodes");
      await page.keyboard.press("End");
      await node.transact([["INSERT INTO kv VALUES (?, ?)", ["a", "1"]]], "?wait=all");
      await page.keyboard.press("5");
      await eventually(() => page.locator(".data-shown").textContent()).toMatch(/^kv/);
      await page.getByRole("button", { name: "only differing" }).click();
      await page.locator("button.grid-cell").first().click();
      await settle(page);
      await page.locator(".columns tr button", { hasText: "v" }).click();
      await eventually(() => page.locator(".explanation").textContent()).toMatch(
        /n0 shows '1', written by n0:1: nothing else competes/,
      );
      await page.keyboard.press("Escape");
      await page.keyboard.press("3");
      await page.keyboard.press("End");
      await settle(page);
      await eventually(() => coloursOf(page, ".view-members")).toBeGreaterThan(4);
      await cluster.node(2).end("SIGKILL");
      const lost = page.locator(".event-list button", {
        hasText: /n0 holds n2 to be (suspect|down)/,
      });
      await eventually(async () => {
        await page.keyboard.press("End");
        return (await lost.count()) > 0;
      }).toBe(true);
      expect((await linkOf(page)).get("live")).toBe("../v1/trace");
      expect(complaints).toEqual([]);
      await close();
    });

    test("three nodes followed at once agree row by row", async () => {
      const cluster = await startedCluster();
      const server = await startReplayServer({
        assets: here().assets,
        trace: null,
        live: {
          urls: cluster.nodes.map((node) => new URL("/v1/trace", node.api).href),
          token: null,
        },
        port: 0,
        host: "127.0.0.1",
      });
      const { page, complaints, close } = await openPage(here(), server.url);
      await whenOpen(page);
      await page.keyboard.press("5");
      await page.keyboard.press("End");
      const writes = cluster.nodes.map((node, i) =>
        node.transact([["INSERT INTO kv VALUES (?, ?)", [`k${i}`, `of n${i}`]]], "?wait=all"),
      );
      await Promise.all(writes);
      await page.keyboard.press("End");
      await eventually(() => page.locator(".data-summary").textContent()).toMatch(
        /^Every node holds .* Told by n0, n1, n2/,
      );
      await page.getByRole("button", { name: "only differing" }).click();
      await eventually(() => page.locator(".grid-body .grid-line:not([hidden])").count()).toBe(3);
      await eventually(() => page.locator(".trace-detail").textContent()).toBe("3 nodes");
      expect(complaints).toEqual([]);
      await close();
      await server.close();
    });
  });
}
