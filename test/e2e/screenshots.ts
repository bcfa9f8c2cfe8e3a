/**
 * `npm run docs:screenshots`: the pictures of docs/visualizer.md, from runs in the page itself. A
 * picture changes when the page or the simulator does; look at them before they are kept.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { ensureBundle, readAssets } from "../../runtime/replay/bundle.ts";
import { startReplayServer } from "../../runtime/replay/server.ts";
import { launch, settle, whenOpen } from "./browser.ts";

interface Shot {
  readonly name: string;
  /** The deep link's fields. */
  readonly link: string;
  readonly look?: BrowserContextOptions;
  /** Brings the page to what is to be seen. */
  readonly act?: (page: Page) => Promise<void>;
}

const split = "run=split-heal&seed=demo";
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 760 },
  deviceScaleFactor: 1.5,
  isMobile: true,
  hasTouch: true,
};

const shots: readonly Shot[] = [
  {
    name: "space-time",
    link: `${split}&view=spacetime&t=10000000&w=9900000_10250000`,
    act: async (page) => await page.keyboard.press("."),
  },
  {
    name: "cluster",
    link: `${split}&view=cluster&t=20000000&tree=1&sel=node.2`,
    look: { colorScheme: "dark" },
  },
  { name: "map", link: "run=lossy-world&seed=1&view=cluster&layout=map&t=2000000&eyes=0" },
  { name: "membership", link: `${split}&view=members&t=20000000&eyes=0` },
  { name: "convergence", link: `${split}&view=convergence&t=20000000` },
  {
    name: "data",
    link: `${split}&view=data&t=39900000`,
    act: async (page) => {
      await page.locator("button.grid-cell.differs").first().click();
      await settle(page);
      await page.locator(".columns tr.differs button").first().click();
    },
  },
  {
    name: "fork",
    link: `${split}&view=spacetime&split=convergence&t=25000000`,
    look: { colorScheme: "dark" },
    act: async (page) => {
      await page.keyboard.press("k");
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Then").selectOption("crash");
      await dialog.getByRole("button", { name: "Run beside" }).click();
      await page.locator(".side-badge").first().waitFor();
    },
  },
  { name: "phone-light", link: `${split}&view=cluster&t=20000000`, look: phone },
  {
    name: "phone-dark",
    link: `${split}&view=spacetime&t=10000000&w=9950000_10100000`,
    look: { ...phone, colorScheme: "dark" },
  },
];

const quality = 55;
const folder = join(import.meta.dirname, "../../docs/pictures");

await ensureBundle();
const assets = readAssets();
const server = await startReplayServer({
  assets,
  trace: null,
  live: null,
  port: 0,
  host: "127.0.0.1",
});
const browser = await launch();
mkdirSync(folder, { recursive: true });
let total = 0;
for (const { name, link, look, act } of shots) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 760 }, ...look });
  const page = await context.newPage();
  await page.goto(`${server.url}#${link}`);
  await whenOpen(page);
  await act?.(page);
  await settle(page);
  // Messages of the page have gone by then.
  await page.waitForTimeout(4500);
  const session = await context.newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality });
  const bytes = Buffer.from(data, "base64");
  writeFileSync(join(folder, `${name}.webp`), bytes);
  total += bytes.length;
  process.stdout.write(`docs/pictures/${name}.webp  ${Math.round(bytes.length / 1000)} kB\n`);
  const preview = process.env["PATINA_SHOTS_PNG"];
  if (preview !== undefined) await page.screenshot({ path: join(preview, `${name}.png`) });
  await context.close();
}
process.stdout.write(`${Math.round(total / 1000)} kB in all\n`);
await browser.close();
await server.close();
