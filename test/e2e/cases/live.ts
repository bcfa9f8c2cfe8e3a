/** Live traces: of one node from its own page, of several at once, through broken connections. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { address } from "../../../core/base/ids.ts";
import { startReplayServer } from "../../../runtime/replay/server.ts";
import { linkOf, openPage, settle, whenOpen } from "../browser.ts";
import { eventually, type Here } from "../case.ts";
import { applyOf, commitOf, startLiveServer } from "../live-server.ts";

const events = async (page: Page): Promise<number> =>
  Number(
    ((await page.locator(".inspector .fields").textContent()) ?? "")
      .match(/events([\d,]+)/)?.[1]
      ?.replaceAll(",", "") ?? -1,
  );
const badge = (page: Page): Promise<string | null> => page.locator(".live-badge").textContent();
const ping = { plane: "swim", msg: "ping", bytes: 40 } as const;

export function liveCases(here: Here): void {
  describe("live", () => {
    test("a node's own page shows what happens on it, follows its end, pauses, and comes back after a break", async () => {
      const node = await startLiveServer({ name: "east", peers: ["west"] });
      const { page, complaints, close } = await openPage(here(), node.url);
      await whenOpen(page);
      await eventually(() => badge(page)).toBe("live");
      await eventually(() => page.locator(".trace-detail").textContent()).toBe("2 nodes");
      await page.keyboard.press("End");
      const before = await events(page);
      node.record(commitOf("east", 1, "one"), { k: "send", to: address("west"), ...ping });
      await eventually(() => events(page)).toBe(before + 3);
      const cursor = page.locator(".view-minimap");
      const end = async (): Promise<boolean> =>
        (await cursor.getAttribute("aria-valuenow")) ===
        (await cursor.getAttribute("aria-valuemax"));
      await eventually(() => end()).toBe(true);

      // A node that was not there before: its lane appears with its first message.
      node.record({ k: "recv", from: address("north"), ...ping });
      await eventually(() => page.locator(".trace-detail").textContent()).toBe("3 nodes");

      await page.keyboard.press("g");
      await eventually(() => badge(page)).toBe("paused");
      const paused = await events(page);
      node.record(commitOf("east", 2, "two"), commitOf("east", 3, "three"));
      await page.waitForTimeout(1000);
      expect(await events(page)).toBe(paused);
      await page.locator(".live-badge").click();
      await eventually(() => events(page)).toBe(paused + 3);

      node.refuse(true);
      await eventually(() => badge(page)).toBe("no connection");
      await eventually(() => page.locator(".live-badge").getAttribute("title")).toMatch(
        /the connection broke off|cannot be reached/,
      );
      node.refuse(false);
      await eventually(() => badge(page)).toBe("live");
      const back = await events(page);
      node.record(commitOf("east", 4, "four"));
      await eventually(() => events(page)).toBeGreaterThan(back);
      await eventually(() => page.locator(".trace-detail").textContent()).toBe("3 nodes");
      // What the browser itself says of the connections that were refused.
      expect(complaints.filter((text) => !text.includes("ERR_"))).toEqual([]);
      await close();
      await node.close();
    });

    test("a node that wants a token is given one, which no address ever holds", async () => {
      const node = await startLiveServer({ name: "east", peers: [], token: "secret" });
      const { page, close } = await openPage(here(), node.url);
      const dialog = page.getByRole("dialog", { name: "A token is needed" });
      await eventually(() => dialog.locator("p").first().textContent()).toMatch(/asks for a token/);
      await dialog.getByLabel("Token").fill("wrong");
      await page.keyboard.press("Enter");
      await eventually(() => dialog.locator("p").first().textContent()).toMatch(
        /does not take this token/,
      );
      await dialog.getByLabel("Token").fill("secret");
      await dialog.getByRole("button", { name: "Connect" }).click();
      await whenOpen(page);
      expect(node.tokens).toEqual([undefined, "Bearer wrong", "Bearer secret"]);
      await linkOf(page);
      expect(page.url()).not.toContain("secret");
      await close();
      await node.close();
    });

    test("several nodes are shown as one cluster, their data beside each other", async () => {
      const names = ["east", "west"];
      const nodes = await Promise.all(
        names.map((name) =>
          startLiveServer({
            name,
            peers: names.filter((other) => other !== name),
            token: "secret",
          }),
        ),
      );
      const [east, west] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
      const server = await startReplayServer({
        assets: here().assets,
        trace: null,
        live: { urls: nodes.map(({ traceUrl }) => traceUrl), token: "secret" },
        port: 0,
        host: "127.0.0.1",
      });
      const { page, complaints, close } = await openPage(here(), server.url);
      await whenOpen(page);
      await page.keyboard.press("5");
      await page.keyboard.press("End");
      east.record(commitOf("east", 1, "one"), {
        k: "send",
        to: address("west"),
        plane: "gossip",
        msg: "push",
        bytes: 90,
      });
      const summary = page.locator(".data-summary");
      await eventually(() => summary.textContent()).toMatch(/^1 of 2 nodes hold.+west is furthest/);
      west.record(
        { k: "recv", from: address("east"), plane: "gossip", msg: "push", bytes: 90 },
        applyOf("east", 1),
      );
      await eventually(() => summary.textContent()).toMatch(/^Every node holds.+east, west/);
      await eventually(() => page.locator(".trace-detail").textContent()).toBe("2 nodes");
      await page.keyboard.press("1");
      await page.keyboard.press(",");
      await settle(page);
      await eventually(() => page.locator(".inspector h2").textContent()).toBe(
        "west receives push from east",
      );
      expect(complaints).toEqual([]);
      await close();
      await server.close();
      await Promise.all(nodes.map((node) => node.close()));
    });

    test("only the last events are kept, and what is selected stays selected", async () => {
      const node = await startLiveServer({ name: "east", peers: ["west"] });
      const { page, complaints, close } = await openPage(
        here(),
        `${node.url}#live=${encodeURIComponent("../v1/trace")}&keep=1000`,
      );
      await whenOpen(page);
      const burst = (count: number): void => {
        for (let i = 0; i < count; i++) node.record({ k: "send", to: address("west"), ...ping });
      };
      burst(800);
      await eventually(() => events(page)).toBeGreaterThan(800);
      node.record(commitOf("east", 1, "the one"));
      await page.keyboard.press("End");
      const commit = page.locator(".event-list button", { hasText: "east commits east:1" });
      await eventually(() => commit.count()).toBe(1);
      await commit.click();
      const title = page.locator(".inspector h2");
      await eventually(() => title.textContent()).toBe("east commits east:1");
      const place = async (): Promise<string | null> =>
        page.locator(".inspector .kicker").first().textContent();
      const first = await place();
      burst(500);
      await eventually(place).not.toBe(first);
      await eventually(() => title.textContent()).toBe("east commits east:1");
      await page.keyboard.press("Escape");
      burst(3000);
      await eventually(async () => (await events(page)) > 700 && (await events(page)) <= 1000).toBe(
        true,
      );
      expect(complaints).toEqual([]);
      await close();
      await node.close();
    });
  });
}
