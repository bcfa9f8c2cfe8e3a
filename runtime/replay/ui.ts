/**
 * What is answered below /ui/, for whichever HTTP server asks: the page and its files, with a strict
 * Content-Security-Policy.
 */
import { type Assets, ensureBundle, readAssets } from "./bundle.ts";

/**
 * No inline script or style, nothing from elsewhere, no framing. Workers run the page's own
 * script; images may be drawn by the page itself.
 * @param connect whom the page may ask for traces.
 */
export function contentSecurityPolicy(connect = "'self'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${connect}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Of every answer, errors too. */
export function safetyHeaders(connect?: string): Readonly<Record<string, string>> {
  return {
    "Content-Security-Policy": contentSecurityPolicy(connect),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
  };
}

export interface UiAnswer {
  /** 200, 304 or 404. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: none. For HEAD the server leaves it out. */
  readonly body: Buffer | null;
}

export interface Ui {
  /**
   * @param path below /ui/, without query: "" is the page.
   * @param ifNoneMatch the request's header, if it has one.
   */
  answer(path: string, ifNoneMatch?: string): UiAnswer;
}

/**
 * The page, built first if its sources are here and newer. A node passes the address of its live
 * trace, relative to /ui/: the page opens it when nothing else is asked for.
 * @throws BundleError with one readable line.
 */
export async function openUi(live: string | null = "../v1/trace"): Promise<Ui> {
  await ensureBundle();
  return uiOf(readAssets(live));
}

export function uiOf(assets: Assets, connect?: string): Ui {
  const safety = safetyHeaders(connect);
  return {
    answer(path, ifNoneMatch) {
      const asset = assets.get(path);
      if (asset === undefined) {
        const headers = { ...safety, "Content-Type": "text/plain; charset=utf-8" };
        return { status: 404, headers, body: Buffer.from("there is no such file here\n") };
      }
      const headers = {
        ...safety,
        ETag: asset.etag,
        "Cache-Control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
      };
      if (ifNoneMatch === asset.etag) return { status: 304, headers, body: null };
      return {
        status: 200,
        headers: {
          ...headers,
          "Content-Type": asset.contentType,
          "Content-Length": String(asset.body.length),
        },
        body: asset.body,
      };
    },
  };
}
