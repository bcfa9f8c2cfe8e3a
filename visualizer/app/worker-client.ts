/** The page's side of a worker: one request at a time each, cancelled by ending the worker. */
import type { Reply, Request } from "../worker/protocol.ts";

export type TraceReply = Extract<Reply, { type: "trace" }>;

export interface Listener {
  onProgress(share: number | null, text: string): void;
  /** Several times for a live stream; `final` is the last. */
  onTrace(reply: TraceReply): void;
  onLink(trouble: string | null): void;
  onFailure(why: string, unauthorized: boolean): void;
}

/** Element that holds the program where page and program are one file. */
const inlineId = "patina-app";

let inlineUrl: string | null = null;

/**
 * The program is one file: a worker runs the same script as the page and finds itself without a
 * document. From a page without a server the script is handed over as a blob, and then not as a
 * module, which browsers refuse to load for the opaque origin of such pages.
 */
function startProgram(): Worker {
  const inline = document.getElementById(inlineId)?.textContent ?? "";
  if (inline !== "") {
    inlineUrl ??= URL.createObjectURL(new Blob([inline], { type: "text/javascript" }));
    return new Worker(inlineUrl, { name: "patina" });
  }
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  return new Worker(script?.src ?? "", { type: "module", name: "patina" });
}

/** Starts a worker on `request`; the function given back stops it. */
export function request(message: Request, listener: Listener): () => void {
  const worker = startProgram();
  let ended = false;
  const end = (): void => {
    ended = true;
    worker.terminate();
  };
  worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
    if (ended) return;
    switch (data.type) {
      case "progress":
        listener.onProgress(data.share, data.text);
        break;
      case "trace":
        if (data.final) end();
        listener.onTrace(data);
        break;
      case "link":
        listener.onLink(data.trouble);
        break;
      case "failed":
        end();
        listener.onFailure(data.why, data.unauthorized);
    }
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    end();
    // A script that cannot be loaded comes as an event without a message.
    listener.onFailure(event.message || "The worker could not be started.", false);
  });
  worker.postMessage(message);
  return end;
}
