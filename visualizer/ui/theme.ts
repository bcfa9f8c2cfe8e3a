import type { Theme } from "../app/state.ts";
import { darkPalette, lightPalette, type Palette } from "../draw/palette.ts";

const storageKey = "patina-theme";

/** Light, dark, or as the system says; remembered where the browser lets us. */
export class ThemeSwitch {
  #theme: Theme;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #onchange: () => void;

  constructor(onchange: () => void) {
    this.#theme = remembered();
    this.#onchange = onchange;
    this.#dark.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  get palette(): Palette {
    const dark = this.#theme === "auto" ? this.#dark.matches : this.#theme === "dark";
    return dark ? darkPalette : lightPalette;
  }

  get theme(): Theme {
    return this.#theme;
  }

  set(theme: Theme): void {
    this.#theme = theme;
    try {
      localStorage.setItem(storageKey, theme);
    } catch {
      // A page opened from a file may have no storage; the choice then lasts as long as the page.
    }
    this.#apply();
  }

  /** The next of auto, the opposite of what the system says, and what it says. */
  next(): void {
    const opposite = this.#dark.matches ? "light" : "dark";
    const same = this.#dark.matches ? "dark" : "light";
    this.set(this.#theme === "auto" ? opposite : this.#theme === opposite ? same : "auto");
  }

  #apply(): void {
    document.documentElement.dataset["theme"] = this.palette.dark ? "dark" : "light";
    this.#onchange();
  }
}

function remembered(): Theme {
  try {
    const theme = localStorage.getItem(storageKey);
    return theme === "light" || theme === "dark" ? theme : "auto";
  } catch {
    return "auto";
  }
}
