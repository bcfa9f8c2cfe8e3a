/** The page and a trace as one file that needs no server: it can be mailed, and opened from a disk. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { type Asset, type Assets, BundleError } from "./bundle.ts";

/** Pieces of the file, in order. `trace` is a path, plain or gzipped. */
export function singleFile(assets: Assets, trace: string): string[] {
  const script = inlineText(find(assets, ".js")).replace(/<\/script/gi, "<\\/script");
  const style = inlineText(find(assets, ".css")).replace(/<\/style/gi, "<\\/style");
  const icon = `data:image/svg+xml;base64,${find(assets, ".svg").body.toString("base64")}`;
  const bytes = readFileSync(trace);
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b ? bytes : gzipSync(bytes);
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}' blob:`,
    `style-src '${hashOf(style)}'`,
    "img-src data: blob:",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const title = `${basename(trace)} · Patina`;
  return [
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n`,
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n`,
    `<meta name="color-scheme" content="light dark">\n<title>${escapeHtml(title)}</title>\n`,
    `<link rel="icon" href="${icon}">\n<style>${style}</style>\n</head>\n<body>\n<div id="patina"></div>\n`,
    `<script type="application/gzip" id="patina-trace">`,
    gzipped.toString("base64"),
    `</script>\n<script type="module" id="patina-app">`,
    script,
    "</script>\n</body>\n</html>\n",
  ];
}

function find(assets: Assets, extension: string): Asset {
  for (const [name, asset] of assets) if (name.endsWith(extension)) return asset;
  throw new BundleError(`the visualizer's build has no ${extension} file`);
}

function inlineText(asset: Asset): string {
  return asset.body.toString("utf8");
}

/** The name under which a Content-Security-Policy allows exactly this inline text. */
function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
