/** Saves what is shown: a picture, the scenario, or the trace for another tool. */
import { perfettoPieces } from "../model/perfetto.ts";
import type { View } from "../views/view.ts";
import type { Loaded } from "./loaded.ts";

/** Says what came of it. */
export async function exportView(
  kind: "png" | "svg" | "scenario" | "perfetto",
  loaded: Loaded,
  view: View | null,
): Promise<string> {
  const name = loaded.name.replace(/[^\w.-]+/g, "-");
  switch (kind) {
    case "png": {
      const blob = (await view?.png()) ?? null;
      if (blob === null) return "This view is a table; there is no picture of it.";
      return save(`${name}.png`, blob);
    }
    case "svg": {
      const text = view?.svg() ?? null;
      if (text === null) return "This view is a table; there is no picture of it.";
      return save(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
    }
    case "scenario": {
      const { options, seed } = loaded.trace.header;
      if (Object.keys(options).length === 0) return "The trace holds no scenario.";
      const text = `${JSON.stringify({ ...options, ...(seed === null ? {} : { seed }) }, null, 2)}\n`;
      return save(`${name}.json`, new Blob([text], { type: "application/json" }));
    }
    case "perfetto": {
      const pieces = perfettoPieces(loaded.trace, loaded.index, 0, loaded.end);
      return save(`${name}.perfetto.json`, new Blob(pieces, { type: "application/json" }));
    }
  }
}

function save(name: string, blob: Blob): string {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return `Saved ${name}.`;
}
