/**
 * One Chromium, one server and a few recorded traces for all tests of the page. Each test gets a
 * page of its own, and fails if anything was complained about on its console.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import chromium from "@sparticuz/chromium";
import {
  type Browser,
  type BrowserContextOptions,
  chromium as playwright,
  type Page,
} from "playwright-core";
import { type Assets, ensureBundle, readAssets } from "../../runtime/replay/bundle.ts";
import { type ReplayServer, startReplayServer } from "../../runtime/replay/server.ts";
import { createRun } from "../../sim/run.ts";
import { parseScenario } from "../../sim/scenario/parse.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";

/** A short split: five nodes, cut from 2 s to 5 s, written to until 6 s. */
export const splitScenario = {
  name: "short-split",
  nodes: 5,
  durationMs: 6000,
  network: { latencyMs: { min: 1, max: 20 } },
  clocks: { skewMsMax: 50, driftPpmMax: 100 },
  workload: [
    {
      kind: "random",
      fromMs: 0,
      toMs: 6000,
      ratePerSec: 40,
      table: "kv",
      keys: 30,
      mix: { insert: 4, update: 5, delete: 1 },
    },
  ],
  faults: [
    {
      kind: "partition",
      atMs: 2000,
      untilMs: 5000,
      groups: [
        [0, 1],
        [2, 3, 4],
      ],
    },
    { kind: "crash", atMs: 3000, node: 4, disk: "kept" },
    { kind: "restart", atMs: 4000, node: 4 },
  ],
};

export interface Recorded {
  readonly path: string;
  readonly traceHash: string;
  readonly lines: readonly string[];
}

export interface World {
  readonly browser: Browser;
  readonly server: ReplayServer;
  readonly assets: Assets;
  readonly split: Recorded;
  /** A folder for what tests write; gone at the end. */
  readonly folder: string;
  close(): Promise<void>;
}

export function scenario(json: unknown): Scenario {
  const parsed = parseScenario(json, "test");
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.scenario;
}

export function record(path: string, json: unknown, seed: string): Recorded {
  const lines: string[] = [];
  const run = createRun(scenario(json), { seed, trace: (line) => lines.push(line) });
  run.step(Infinity);
  const text = lines.join("");
  writeFileSync(path, path.endsWith(".gz") ? gzipSync(text) : text);
  return { path, traceHash: run.result().traceHash, lines };
}

export async function startWorld(): Promise<World> {
  await ensureBundle();
  const folder = mkdtempSync(join(tmpdir(), "patina-e2e-"));
  const split = record(join(folder, "split.ndjson.gz"), splitScenario, "1");
  const assets = readAssets();
  const server = await startReplayServer({
    assets,
    trace: split.path,
    live: null,
    port: 0,
    host: "127.0.0.1",
  });
  const browser = await launch();
  return {
    browser,
    server,
    assets,
    split,
    folder,
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function launch(): Promise<Browser> {
  return await playwright.launch({
    executablePath: await chromium.executablePath(),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface Opened {
  readonly page: Page;
  /** Whatever the page complained about so far. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

/** A page at `url`, on a laptop unless told otherwise. */
export async function openPage(
  world: World,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await world.browser.newContext({
    viewport: { width: 1360, height: 850 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // Said about the tests' own reading of pixels.
    if (message.text().includes("willReadFrequently")) return;
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

/** The recorded split with a deep link's fields. */
export function splitUrl(world: World, fields = ""): string {
  return `${world.server.url}#${fields}`;
}

/** Waits until a trace is open and drawn. */
export async function whenOpen(page: Page): Promise<void> {
  await page.locator('.app[data-open="yes"]').waitFor();
  await settle(page);
}

/** Two frames: what was asked for is drawn. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
}

/** The fields of the address once it has caught up with the state: timed by the page, which may be slow. */
export async function linkOf(page: Page): Promise<URLSearchParams> {
  await settle(page);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 450)));
  return new URLSearchParams(new URL(page.url()).hash.slice(1));
}

/** How many different colours a canvas shows, on a grid of sample points: an empty one shows one. */
export async function coloursOf(page: Page, selector: string): Promise<number> {
  return await page
    .locator(`${selector} canvas`)
    .first()
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      const colours = new Set<string>();
      if (context === null || canvas.width === 0) return 0;
      const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
      for (let y = 0; y < height; y += 2)
        for (let x = 0; x < width; x += 2)
          colours.add(data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4).join());
      return colours.size;
    });
}

/** Every canvas within `selector`, as the pixels that were drawn: equal texts are equal pictures. */
export async function canvasesOf(page: Page, selector: string): Promise<string[]> {
  return await page
    .locator(`${selector} canvas`)
    .evaluateAll((all) => all.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
}

/**
 * By how much two screenshots differ at most in one channel of one pixel, of 255; 255 where their
 * sizes differ. Rounded corners differ by 1 or 2 between two pages that show the same: Chromium
 * blends them per layer.
 */
export async function mostApart(page: Page, one: Buffer, other: Buffer): Promise<number> {
  return await page.evaluate(
    async (pictures) => {
      const [a, b] = await Promise.all(
        pictures.map(async (base64) => {
          const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
          const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
          const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
          context?.drawImage(bitmap, 0, 0);
          return context?.getImageData(0, 0, bitmap.width, bitmap.height);
        }),
      );
      if (a === undefined || b === undefined || a.width !== b.width || a.height !== b.height)
        return 255;
      let most = 0;
      for (let i = 0; i < a.data.length; i++)
        most = Math.max(most, Math.abs((a.data[i] as number) - (b.data[i] as number)));
      return most;
    },
    [one.toString("base64"), other.toString("base64")],
  );
}
