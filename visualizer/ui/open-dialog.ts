/** Open a file, a URL or a live cluster; or a second trace to compare with. */
import type { AppApi } from "../app/app-api.ts";
import type { Side } from "../app/state.ts";
import { Dialog } from "./dialog.ts";
import { h } from "./dom.ts";
import { field, row, textInput } from "./form.ts";
import { textButton } from "./widgets.ts";

export class OpenDialog extends Dialog {
  constructor(app: AppApi) {
    super("Open a trace", "open");
    const compare = h("input", { type: "checkbox", disabled: app.loaded === null });
    const side = (): Side => (compare.checked ? "b" : "a");
    const file = h("input", {
      type: "file",
      accept: ".ndjson,.gz,.json,.jsonl",
      onchange: () => {
        const chosen = file.files?.[0];
        if (chosen === undefined) return;
        app.openFile(chosen, side());
        this.close();
      },
    });
    const url = textInput("", { placeholder: "https://…/run.ndjson.gz", inputmode: "url" });
    const live = textInput("", { placeholder: "http://127.0.0.1:8080/v1/trace", inputmode: "url" });
    const token = textInput("", { type: "password", placeholder: "only if the node asks for one" });
    const openUrl = (): void => {
      if (url.value.trim() === "") return;
      app.open({ type: "url", url: url.value.trim() }, side());
      this.close();
    };
    const connect = (): void => {
      if (live.value.trim() === "") return;
      const secret = token.value.trim();
      app.open(
        { type: "live", url: live.value.trim(), keep: null },
        side(),
        secret === "" ? undefined : secret,
      );
      this.close();
    };
    this.body.append(
      field("From this machine", file, "Plain or gzipped NDJSON. It stays in this browser."),
      h(
        "form",
        { onsubmit: (event: Event) => submit(event, openUrl) },
        row(field("From an address", url), textButton("Open", openUrl)),
      ),
      h(
        "form",
        { onsubmit: (event: Event) => submit(event, connect) },
        row(
          field("Live, from a node", live),
          field("Token", token, "Kept in this tab only."),
          textButton("Connect", connect),
        ),
      ),
      h(
        "label",
        { class: "check" },
        compare,
        app.loaded === null
          ? "Compare with the open trace (open one first)"
          : `Compare with ${app.loaded.name}`,
      ),
    );
  }
}

function submit(event: Event, act: () => void): void {
  event.preventDefault();
  act();
}
