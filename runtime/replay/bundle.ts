/**
 * The visualizer as it is served: one page, one script, one style sheet. In a clone it is built
 * with Vite when its sources are newer than what was built last; a published package brings it.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const sources = ["visualizer", "core", "sim"];
const config = join(root, "visualizer/vite.config.ts");
/** Files of earlier builds stay so long, for pages that were opened then. */
const keptMs = 3_600_000;
const sourceKinds = new Set([".ts", ".css", ".html", ".svg"]);

/** Where `npm run build:ui` puts the page. */
export const bundleFolder: string = join(root, "visualizer/dist");

export interface Asset {
  readonly body: Buffer;
  readonly contentType: string;
  /** Quoted, as the header has it. */
  readonly etag: string;
  /** Its name holds a hash of its content: it may be kept for ever. */
  readonly immutable: boolean;
}

/** By path below the page's own, "" for the page itself. */
export type Assets = ReadonlyMap<string, Asset>;

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The page cannot be built or read. Nothing was changed. */
export class BundleError extends Error {
  override name = "BundleError";
}

/**
 * Builds the page if that is needed and possible: where its sources are, and newer than it.
 * @throws BundleError
 */
export async function ensureBundle(): Promise<void> {
  if (!existsSync(config) || isFresh()) return;
  let build: typeof import("vite").build;
  try {
    ({ build } = await import("vite"));
  } catch {
    if (existsSync(join(bundleFolder, "index.html"))) return;
    throw new BundleError(
      "the visualizer is not built, and Vite, which builds it, is not installed",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "patina-ui-"));
  try {
    await build({
      configFile: config,
      logLevel: "silent",
      build: { outDir: folder, emptyOutDir: true },
    });
    publish(folder);
  } catch (error) {
    throw new BundleError(`the visualizer cannot be built: ${(error as Error).message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Puts a finished build in place. Whoever reads meanwhile, or builds at the same time, finds a whole
 * page: files named by their content come first, and the page that names them last.
 */
function publish(folder: string): void {
  const assets = join(bundleFolder, "assets");
  mkdirSync(assets, { recursive: true });
  const put = (from: string, to: string): void => {
    const beside = `${to}.${process.pid}`;
    copyFileSync(from, beside);
    renameSync(beside, to);
  };
  for (const name of readdirSync(join(folder, "assets")))
    put(join(folder, "assets", name), join(assets, name));
  put(join(folder, "index.html"), join(bundleFolder, "index.html"));
  const longAgo = Date.now() - keptMs;
  for (const name of readdirSync(assets)) {
    const path = join(assets, name);
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? longAgo) < longAgo)
      rmSync(path, { force: true });
  }
}

function isFresh(): boolean {
  const built = statSync(join(bundleFolder, "index.html"), { throwIfNoEntry: false });
  return built !== undefined && sources.every((room) => newest(join(root, room)) <= built.mtimeMs);
}

/** When the latest source below `folder` was changed. */
function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (path !== bundleFolder) latest = Math.max(latest, newest(path));
    } else if (sourceKinds.has(extname(entry.name)))
      latest = Math.max(latest, statSync(path).mtimeMs);
  }
  return latest;
}

/**
 * Everything that is served, read once.
 * @param live the address of a live trace that the page opens when nothing else is asked for: how a
 * node's own page shows its cluster.
 * @throws BundleError when the page was never built.
 */
export function readAssets(live: string | null = null, folder: string = bundleFolder): Assets {
  const assets = new Map<string, Asset>();
  const read = (path: string, immutable: boolean): Asset => {
    const file = readFileSync(join(folder, path));
    const body = path === "index.html" && live !== null ? withLive(file, live) : file;
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    const contentType = contentTypes[extname(path)] ?? "application/octet-stream";
    return { body, contentType, etag, immutable };
  };
  try {
    assets.set("", read("index.html", false));
    const page = assets.get("")?.body.toString("utf8") ?? "";
    for (const [, name = ""] of page.matchAll(/"\.\/(assets\/[^"]+)"/g))
      assets.set(name, read(name, true));
  } catch {
    throw new BundleError("the visualizer is not built: npm run build:ui builds it");
  }
  return assets;
}

function withLive(page: Buffer, live: string): Buffer {
  const address = live.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const meta = `<meta name="patina-live" content="${address}" />`;
  return Buffer.from(page.toString("utf8").replace("</title>", `</title>\n    ${meta}`), "utf8");
}
