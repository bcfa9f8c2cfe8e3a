import type { AppApi } from "../app/app-api.ts";
import type { Side } from "../app/state.ts";
import { h } from "./dom.ts";

/** Takes files dropped anywhere on the page: the first opens; with a second one the two are compared. */
export function attachDrop(app: AppApi, side: () => Side): void {
  const veil = h("div", { class: "drop-veil", hidden: true }, h("strong", {}, "Drop to open"));
  document.body.append(veil);
  let depth = 0;
  const show = (over: boolean): void => {
    veil.hidden = !over;
  };
  document.addEventListener("dragenter", (event) => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    depth++;
    show(true);
  });
  document.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    show(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    const [first, second] = files;
    for (const dialog of document.querySelectorAll("dialog[open]"))
      (dialog as HTMLDialogElement).close();
    if (first !== undefined) app.openFile(first, side());
    if (second !== undefined) app.openFile(second, "b");
  });
}
