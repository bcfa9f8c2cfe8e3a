/** One program for the page and its worker: without a document it is the worker. */
import { App } from "./app/app.ts";
import { hasEmbeddedTrace } from "./app/sources.ts";
import { startWorker } from "./worker/worker.ts";

if (typeof document === "undefined") startWorker();
else {
  const app = new App();
  document.getElementById("patina")?.replaceChildren(app.root);
  void app.openLink().then((opened) => {
    if (opened) return;
    const live = document.querySelector<HTMLMetaElement>('meta[name="patina-live"]')?.content;
    if (hasEmbeddedTrace()) app.open({ type: "embedded" });
    else if (live !== undefined) app.open({ type: "live", url: live, keep: null });
  });
}
