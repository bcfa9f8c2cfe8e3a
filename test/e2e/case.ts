import { expect, test } from "vitest";
import type { BrowserContextOptions, Page } from "playwright-core";
import { openPage, whenOpen, type World } from "./browser.ts";

export type Here = () => World;

/** Polls until the matcher holds; patient, because the machine may be busy. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 30_000, interval: 40 });
}

/** A test with a page of its own, at `url`; at its end the console must have stayed silent. */
export function pageTest(
  here: Here,
  title: string,
  url: (world: World) => string,
  body: (page: Page, world: World) => Promise<void>,
  options: BrowserContextOptions & { readonly empty?: true } = {},
): void {
  test(title, async () => {
    const world = here();
    const { empty, ...context } = options;
    const { page, complaints, close } = await openPage(world, url(world), context);
    try {
      if (empty !== true) await whenOpen(page);
      await body(page, world);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });
}
