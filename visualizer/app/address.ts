/** The address bar: a deep link that follows what is on the screen. */
import type { AppApi } from "./app-api.ts";
import { formatLink } from "./deep-link.ts";

const followMs = 300;

export class Address {
  readonly #app: Pick<AppApi, "state" | "loaded" | "other">;
  #timer = 0;
  /** As this page wrote it last; a change to it is no news. */
  #written: string | null = null;

  constructor(app: Pick<AppApi, "state" | "loaded" | "other">) {
    this.#app = app;
  }

  isOwn(hash: string): boolean {
    return hash.replace(/^#/, "") === this.#written;
  }

  /** The address follows the state a little later, and never while playing. */
  follow(): void {
    clearTimeout(this.#timer);
    if (this.#app.state.playing) return;
    this.#timer = window.setTimeout(async () => {
      this.#written = await this.#link();
      history.replaceState(null, "", `${location.pathname}${location.search}#${this.#written}`);
    }, followMs);
  }

  /** Copies the link; what became of it, in words. */
  async copy(): Promise<string> {
    const url = `${location.href.replace(/[?#].*$/, "")}#${await this.#link()}`;
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      history.replaceState(null, "", url);
      return "The link is in the address bar.";
    }
    return this.#app.loaded?.source.type === "file"
      ? "Link copied. It names the file; whoever opens it must have it too."
      : "Link copied.";
  }

  async #link(): Promise<string> {
    const { state, loaded, other } = this.#app;
    return await formatLink(state, loaded?.source ?? null, other?.source ?? null);
  }
}
