/** What a browser measures of the page. */
import { readdirSync, readFileSync } from "node:fs";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright, type Page } from "playwright-core";

/** The little of the browser's world that is used inside the page; the types of this room are Node's. */
interface PageElement {
  readonly textContent: string | null;
  readonly dataset: Readonly<Record<string, string | undefined>>;
  querySelector(selector: "canvas"): PageCanvas | null;
}
interface PageCanvas {
  getContext(
    kind: "2d",
  ): { getImageData(x: number, y: number, w: number, h: number): unknown } | null;
}
declare const document: {
  querySelector(selector: string): PageElement | null;
  dispatchEvent(event: unknown): void;
};
declare const location: { hash: string };
declare const KeyboardEvent: new (type: string, init: Readonly<Record<string, unknown>>) => unknown;
declare function requestAnimationFrame(callback: () => void): void;

export interface PageFigures {
  /** Of the worker's thread, until the trace was handed over; null where the system does not tell. */
  readonly workerCpuMs: number | null;
  readonly openWallMs: number;
  readonly progressShown: number;
  readonly cutEvents: number;
  readonly cutNote: string;
  readonly draws: readonly DrawFigures[];
  readonly seeks: readonly { readonly view: string; readonly renderMs: readonly number[] }[];
}

interface DrawFigures {
  readonly what: string;
  /** Lines and signs drawn, or events counted into strips of density. */
  readonly marks: number;
  /** The page's own time for a drawing of the whole view. */
  readonly scriptMs: readonly number[];
  /** CPU time of the page's thread for each drawing, everything else in the frame included; null where the system does not tell. */
  readonly cpuMs: number | null;
  /** From there until the pixels are there, on the processor: there is no graphics card here. */
  readonly rasterMs: readonly number[];
}

/** The unit in which Linux tells CPU time. */
const tickMs = 10;
const draws = 100;
const seeks = 60;
const views = ["spacetime", "cluster", "members", "convergence", "data"] as const;

export async function measurePage(url: string, cutUrl: string): Promise<PageFigures> {
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    headless: true,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const opened = await measureOpening(browser, url);
    const { page } = opened;
    const drawn = [
      await measureDraws(page, "space-time, lines and signs", 10_000),
      await measureDraws(page, "space-time, a whole run in strips of density", null),
    ];
    const sought = [];
    for (const view of views) sought.push({ view, renderMs: await measureSeeks(page, view) });
    const cut = await browser.newPage();
    await cut.goto(cutUrl);
    await whenOpen(cut);
    const cutEvents = await eventCount(cut);
    const cutNote = (await cut.locator(".note.warn").first().textContent()) ?? "";
    const { workerCpuMs, openWallMs, progressShown } = opened;
    return {
      workerCpuMs,
      openWallMs,
      progressShown,
      cutEvents,
      cutNote,
      draws: drawn,
      seeks: sought,
    };
  } finally {
    await browser.close();
  }
}

async function whenOpen(page: Page): Promise<void> {
  await page.locator('.app[data-open="yes"]').waitFor({ timeout: 120_000 });
  await frame(page);
}

async function frame(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
      }),
  );
}

async function eventCount(page: Page): Promise<number> {
  const text = (await page.locator(".inspector .fields").textContent()) ?? "";
  return Number(/events([\d,]+)/.exec(text)?.[1]?.replaceAll(",", "") ?? 0);
}

async function measureOpening(
  browser: Browser,
  url: string,
): Promise<
  Pick<PageFigures, "workerCpuMs" | "openWallMs" | "progressShown"> & { readonly page: Page }
> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 850 } });
  await page.addInitScript(() => {
    const shown = new Set<string>();
    Object.assign(globalThis, { progressShown: shown });
    const watch = (): void => {
      const text = document.querySelector(".loading p")?.textContent;
      if (text !== null && text !== undefined && /events/.test(text)) shown.add(text);
      requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  });
  let workerCpuMs: number | null = null;
  const timer = setInterval(() => {
    workerCpuMs = threadTime("worker") ?? workerCpuMs;
  }, 10);
  const start = performance.now();
  await page.goto(url);
  await whenOpen(page);
  const openWallMs = performance.now() - start;
  clearInterval(timer);
  const progressShown = await page.evaluate(
    () => (globalThis as unknown as { progressShown: Set<string> }).progressShown.size,
  );
  return { page, workerCpuMs, openWallMs, progressShown };
}

/** CPU time of the browser's workers, or of its pages' main threads, in milliseconds, as Linux tells it; null if there are none. */
function threadTime(wanted: "worker" | "page"): number | null {
  let ticks: number | null = null;
  try {
    for (const pid of descendants())
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
        const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
        const found =
          wanted === "worker"
            ? name.startsWith("DedicatedWork")
            : Number(thread) === pid && isRenderer(pid);
        if (!found) continue;
        const fields = rest.split(" ");
        ticks = (ticks ?? 0) + Number(fields[11]) + Number(fields[12]);
      }
  } catch {
    // A process went while it was looked at, or this is no Linux.
    return null;
  }
  return ticks === null ? null : ticks * tickMs;
}

function isRenderer(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer");
}

/** Process ids of everything that this process started, directly or not. */
function descendants(): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const mine = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (parents.get(at) === process.pid) return true;
    return false;
  };
  return [...parents.keys()].filter(mine);
}

/** Draws the space-time view again and again, each time moved a little. `wanted`: zoomed until about so many events are in view; null: all. */
async function measureDraws(page: Page, what: string, wanted: number | null): Promise<DrawFigures> {
  await page.keyboard.press("1");
  await page.keyboard.press("0");
  await frame(page);
  if (wanted !== null) await zoomTo(page, wanted);
  const before = threadTime("page");
  const times = await page.evaluate(async (count) => {
    const view = document.querySelector(".view-spacetime");
    const canvas = view?.querySelector("canvas") ?? null;
    const context = canvas?.getContext("2d") ?? null;
    const scriptMs: number[] = [];
    const rasterMs: number[] = [];
    for (let i = 0; i < count; i++) {
      const key = i % 2 === 0 ? "ArrowRight" : "ArrowLeft";
      document.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
      // In the same frame as the drawing and right after it: reading a pixel waits for the painting.
      await new Promise<void>((resolve) => {
        requestAnimationFrame(() => {
          const start = performance.now();
          context?.getImageData(0, 0, 1, 1);
          rasterMs.push(performance.now() - start);
          scriptMs.push(Number(view?.dataset["drawMs"]));
          setTimeout(resolve);
        });
      });
    }
    return { scriptMs, rasterMs };
  }, draws);
  const after = threadTime("page");
  const cpuMs = before === null || after === null ? null : (after - before) / draws;
  return { what, marks: await eventsInView(page), cpuMs, ...times };
}

function eventsInView(page: Page): Promise<number> {
  return page.evaluate(() =>
    Number(document.querySelector(".view-spacetime")?.dataset["marks"] ?? 0),
  );
}

/** Narrows the window about a moment in the middle until about `wanted` events are in it. */
async function zoomTo(page: Page, wanted: number): Promise<void> {
  const middleUs = 20_000_000;
  let lengthUs = 2_000_000;
  for (let turn = 0; turn < 6; turn++) {
    const window = `${middleUs - lengthUs / 2}_${middleUs + lengthUs / 2}`;
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `view=spacetime&t=${middleUs}&w=${window}`);
    await page.waitForTimeout(400);
    await frame(page);
    lengthUs = Math.round((lengthUs * wanted) / (await eventsInView(page)));
  }
}

/** Presses on the minimap at places all over the run. */
async function measureSeeks(page: Page, view: (typeof views)[number]): Promise<number[]> {
  await page.keyboard.press(String(views.indexOf(view) + 1));
  await page.keyboard.press("0");
  await frame(page);
  const box = await page.locator(".view-minimap").boundingBox();
  if (box === null) throw new Error("the page has no minimap");
  const times: number[] = [];
  for (let i = 0; i < seeks; i++) {
    // Back and forth by the golden ratio: far from the last place each time.
    const share = (0.05 + i * 0.618_034) % 1;
    await page.mouse.click(box.x + 14 + share * (box.width - 28), box.y + box.height / 2);
    await frame(page);
    times.push(
      await page.evaluate(() => Number(document.querySelector(".app")?.dataset["renderMs"])),
    );
  }
  return times;
}
