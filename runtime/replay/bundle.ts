/**
 * The visualizer as it is served: one page, one script, one style sheet. In a clone it is built
 * with Vite when its sources are newer than what was built last; a published package brings it.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { extname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const sources = ["visualizer", "core", "sim"];
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

/**
 * No inline script or style, nothing from elsewhere, no framing. Workers run the page's own
 * script; images may be drawn by the page itself.
 */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

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

/** Builds the page if that is needed and possible. @throws BundleError */
export async function ensureBundle(): Promise<void> {
  if (isFresh()) return;
  let build: typeof import("vite").build;
  try {
    ({ build } = await import("vite"));
  } catch {
    if (existsSync(join(bundleFolder, "index.html"))) return;
    throw new BundleError(
      "the visualizer is not built, and Vite, which builds it, is not installed",
    );
  }
  try {
    await build({ configFile: join(root, "visualizer/vite.config.ts"), logLevel: "silent" });
  } catch (error) {
    throw new BundleError(`the visualizer cannot be built: ${(error as Error).message}`);
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
    for (const name of readdirSync(join(folder, "assets")))
      assets.set(`assets/${name}`, read(`assets/${name}`, true));
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
