/** Asks for the token that a node wants. It stays in this tab's memory: no address ever holds it. */
import type { AppApi } from "../app/app-api.ts";
import type { Source } from "../app/source.ts";
import type { Side } from "../app/state.ts";
import { Dialog } from "./dialog.ts";
import { h } from "./dom.ts";
import { field, row, textInput } from "./form.ts";
import { textButton } from "./widgets.ts";

export class TokenDialog extends Dialog {
  constructor(app: AppApi, why: string, source: Source, side: Side) {
    super("A token is needed", "token");
    const token = textInput("", { type: "password", autocomplete: "current-password" });
    const connect = (): void => {
      const secret = token.value.trim();
      if (secret === "") return;
      app.open(source, side, secret);
      this.close();
    };
    this.body.append(
      h("p", {}, why),
      h(
        "form",
        {
          onsubmit: (event: Event) => {
            event.preventDefault();
            connect();
          },
        },
        row(
          field("Token", token, "Kept in this tab only. patina token create makes one."),
          textButton("Connect", connect),
        ),
      ),
    );
  }
}
