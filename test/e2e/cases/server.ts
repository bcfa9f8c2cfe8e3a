/** How the page is delivered: a strict policy, nothing from elsewhere, one file that needs no server. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { patina, printedJson } from "../../integration/patina-process.ts";
import { linkOf, openPage, whenOpen } from "../browser.ts";
import { eventually, type Here } from "../case.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A request whose path is sent as it is, which `fetch` would tidy up. */
function ask(
  url: string,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers }));
    })
      .on("error", reject)
      .end();
  });
}

export function serverCases(here: Here): void {
  describe("delivery", () => {
    test("the whole page, simulator included, is at most 400 kB gzipped", () => {
      const bytes = [...here().assets.values()].reduce(
        (sum, { body }) => sum + gzipSync(body).length,
        0,
      );
      expect(bytes).toBeLessThan(400_000);
      expect(bytes).toBeGreaterThan(50_000);
    });

    test("nothing is loaded from elsewhere, and nothing inline would run", async () => {
      const world = here();
      const { page, complaints, close } = await openPage(world, "about:blank");
      const requests: string[] = [];
      page.on("request", (one) => requests.push(one.url()));
      await page.goto(world.server.url);
      await whenOpen(page);
      const { origin } = new URL(world.server.url);
      expect(requests.every((url) => url.startsWith(origin))).toBe(true);
      expect(complaints).toEqual([]);
      const ran = await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "window.inlineRan = true";
        document.body.append(script);
        return "inlineRan" in window;
      });
      expect(ran).toBe(false);
      await close();
    });

    test("only the page and its trace can be asked for, by this machine's own names", async () => {
      const { url } = here().server;
      const page = await ask(url, "/ui/");
      expect(page.status).toBe(200);
      expect(page.headers["content-security-policy"]).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(page.headers["x-content-type-options"]).toBe("nosniff");
      const statuses: [string, number][] = [];
      for (const path of [
        "/",
        "/ui/../../package.json",
        "/ui/%2e%2e/package.json",
        "/ui/assets/../index.html",
        "/trace/",
        "/trace/other.ndjson",
        "/etc/passwd",
        "/trace/..%2fsplit.ndjson.gz",
      ])
        statuses.push([path, (await ask(url, path)).status ?? 0]);
      expect(statuses.map(([, status]) => status)).toEqual([
        302, 404, 404, 404, 404, 404, 404, 404,
      ]);
      expect((await ask(url, "/ui/", {}, "POST")).status).toBe(405);
      expect((await ask(url, "/ui/", { host: "evil.example:80" })).status).toBe(421);
      expect((await ask(url, "/ui/", { host: "localhost:80" })).status).toBe(200);
      const { etag } = page.headers;
      expect((await ask(url, "/ui/", { "if-none-match": String(etag) })).status).toBe(304);
      expect((await ask(url, "/ui/", {}, "HEAD")).status).toBe(200);
    });

    test("patina replay --out writes one file that opens from the disk and asks for nothing", async () => {
      const world = here();
      const out = join(world.folder, "split.html");
      const done = await patina(["replay", world.split.path, "--out", out, "--json"]);
      expect([done.status, printedJson(done)]).toEqual([0, { out }]);
      const html = readFileSync(out, "utf8");
      expect(html).not.toMatch(/(src|href)="(?!data:)/);
      const { page, complaints, close } = await openPage(world, "about:blank");
      const requests: string[] = [];
      page.on("request", (one) => requests.push(one.url()));
      await page.goto(`file://${out}#view=data&t=4990000`);
      await whenOpen(page);
      await eventually(() => page.locator(".trace-name").textContent()).toBe("short-split");
      await eventually(() => page.locator(".data-summary").textContent()).toMatch(/^0 of 5 nodes/);
      expect(requests.filter((url) => !/^(file|blob|data):/.test(url))).toEqual([]);
      // A fork runs the simulator out of the same file.
      await page.keyboard.press("k");
      await page.getByRole("dialog").getByRole("button", { name: "Run beside" }).click();
      await page.locator(".compare-line").waitFor();
      expect((await linkOf(page)).get("view")).toBe("data");
      expect(complaints).toEqual([]);
      await close();
    });
  });
}
