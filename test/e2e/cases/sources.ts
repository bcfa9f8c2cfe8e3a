/** Where traces come from: files, addresses, a live cluster, and the simulator in the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { patina, printedJson } from "../../integration/patina-process.ts";
import { linkOf, openPage, settle, splitScenario, whenOpen } from "../browser.ts";
import { eventually, type Here, pageTest } from "../case.ts";

const page = (world: ReturnType<Here>): string => world.server.url.replace(/\?.*/, "");

export function sourceCases(here: Here): void {
  describe("sources", () => {
    pageTest(
      here,
      "?trace= opens a gzipped trace at its first fault, and names it",
      (world) => world.server.url,
      async (one, world) => {
        await eventually(() => one.locator(".trace-name").textContent()).toBe("short-split");
        await eventually(() => one.locator(".trace-detail").textContent()).toBe("seed 1 · 5 nodes");
        expect((await linkOf(one)).get("t")).toBe("2000000");
        const events = String(world.split.lines.length - 1).replace(/\B(?=(\d{3})+$)/g, ",");
        await eventually(() => one.locator(".inspector .fields").textContent()).toContain(events);
      },
    );

    pageTest(
      here,
      "files dropped on the page open; two of them are compared",
      page,
      async (one, world) => {
        const base64 = readFileSync(world.split.path).toString("base64");
        const drop = async (count: number): Promise<void> =>
          await one.evaluate(
            ([data, times]) => {
              const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
              const transfer = new DataTransfer();
              for (let i = 0; i < times; i++)
                transfer.items.add(new File([bytes], `dropped-${i}.ndjson.gz`));
              for (const type of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(
                  new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }),
                );
            },
            [base64, count] as const,
          );
        await drop(1);
        await whenOpen(one);
        expect((await linkOf(one)).get("file")).toBe("dropped-0.ndjson.gz");
        await drop(2);
        await one.locator(".compare-line").waitFor();
        await eventually(() => one.locator(".compare-line").textContent()).toContain(
          "Event for event the same.",
        );
      },
      { empty: true },
    );

    pageTest(
      here,
      "a file cut short or damaged opens up to where it is whole, and says so",
      page,
      async (one, world) => {
        const path = join(world.folder, "damaged.ndjson");
        const lines = [
          ...world.split.lines.slice(0, 800),
          "\u0000garbage\n",
          ...world.split.lines.slice(800),
        ];
        writeFileSync(path, lines.join(""));
        await one.locator("#welcome-file").setInputFiles(path);
        await whenOpen(one);
        await eventually(() => one.locator(".note.warn").textContent()).toMatch(
          /^The file is damaged at line 801 \(the line is not JSON\)/,
        );
        const cut = join(world.folder, "cut.ndjson.gz");
        writeFileSync(cut, readFileSync(world.split.path).subarray(0, 20_000));
        await one.keyboard.press("o");
        await one.getByLabel("From this machine").setInputFiles(cut);
        await eventually(() => one.locator(".note.warn").textContent()).toMatch(
          /^The file is truncated at line/,
        );
      },
      { empty: true },
    );

    pageTest(
      here,
      "what is no trace is refused in words, and the page stays usable",
      page,
      async (one, world) => {
        const path = join(world.folder, "no-trace.txt");
        writeFileSync(path, "hello\n");
        await one.locator("#welcome-file").setInputFiles(path);
        const card = one.locator(".loading.failed");
        await card.waitFor();
        await eventually(() => card.textContent()).toContain(
          "This is no trace: the line is not JSON.",
        );
        await card.getByRole("button", { name: "Close" }).click();
        await one.locator("#welcome-file").setInputFiles(world.split.path);
        await whenOpen(one);
      },
      { empty: true },
    );

    test("an address that does not answer is told, with what to do instead", async () => {
      const world = here();
      const {
        page: one,
        complaints,
        close,
      } = await openPage(world, `${page(world)}?trace=/nowhere.ndjson`);
      await one.locator(".loading.failed").waitFor();
      await eventually(() => one.locator(".loading").textContent()).toContain("answers 404");
      await one.goto(`${page(world)}?trace=https://example.invalid/x.ndjson`);
      await one.locator(".loading.failed").waitFor();
      await eventually(() => one.locator(".loading").textContent()).toContain(
        "Download the trace and drop the file here",
      );
      // The browser itself reports both failures; the page adds nothing.
      expect(complaints.every((text) => /404|Content Security Policy/.test(text))).toBe(true);
      await close();
    });

    test("?trace= opens a trace that lies on another server, if that one allows it", async () => {
      const world = here();
      const other = createServer((_, response) => {
        response.writeHead(200, { "Access-Control-Allow-Origin": "*" });
        response.end(readFileSync(world.split.path));
      });
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const bound = other.address();
      if (bound === null || typeof bound === "string") throw new Error("no port");
      const url = `http://127.0.0.1:${bound.port}/split.ndjson.gz`;
      const {
        page: one,
        complaints,
        close,
      } = await openPage(world, `${page(world)}?trace=${encodeURIComponent(url)}`);
      await whenOpen(one);
      await eventually(() => one.locator(".trace-name").textContent()).toBe("short-split");
      expect(complaints).toEqual([]);
      await close();
      other.closeAllConnections();
      other.close();
    });

    test("a run in the page has the trace hash of the same run on the command line", async () => {
      const world = here();
      const path = join(world.folder, "scenario.json");
      writeFileSync(path, JSON.stringify(splitScenario));
      const { page: one, complaints, close } = await openPage(world, page(world));
      const command = patina(["sim", path, "--seed", "hash", "--json"]);
      await one.keyboard.press("r");
      const dialog = one.getByRole("dialog");
      await dialog.getByLabel("Seed").fill("hash");
      await dialog.getByText("As JSON").click();
      await dialog.getByLabel("Scenario as JSON").fill(JSON.stringify(splitScenario));
      await dialog.getByRole("button", { name: "Run", exact: true }).click();
      await whenOpen(one);
      const { traceHash } = printedJson(await command);
      await one.keyboard.press("Escape");
      await settle(one);
      await eventually(() => one.locator(".inspector .fields").textContent()).toContain(
        `trace hash${String(traceHash)}`,
      );
      expect(complaints).toEqual([]);
      await close();
    });

    pageTest(
      here,
      "the form of the run dialog changes the scenario, and mistakes are told as they are typed",
      page,
      async (one) => {
        await one.keyboard.press("r");
        const dialog = one.getByRole("dialog");
        await dialog.getByLabel("Scenario", { exact: true }).selectOption("control");
        await dialog.getByLabel("Seconds").fill("2");
        await dialog.getByLabel("Seconds").blur();
        await dialog.getByText("As JSON").click();
        const json = dialog.getByLabel("Scenario as JSON");
        const scenario = JSON.parse(await json.inputValue()) as Record<string, unknown>;
        expect(scenario["durationMs"]).toBe(2000);
        await json.fill(JSON.stringify({ ...scenario, nodez: 3 }));
        await eventually(() => dialog.getByRole("alert").textContent()).toMatch(
          /nodez: unknown key; did you mean "nodes"\?/,
        );
        await json.fill(JSON.stringify({ ...scenario, durationMs: 1000, workload: [] }));
        await eventually(() => dialog.getByRole("alert").isVisible()).toBe(false);
        await dialog.getByRole("button", { name: "Run", exact: true }).click();
        await whenOpen(one);
        expect((await linkOf(one)).get("scenario")).toMatch(/^[\w-]+$/);
      },
      { empty: true },
    );
  });
}
