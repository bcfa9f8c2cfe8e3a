/**
 * Where a command's words go: data to standard output, talk to standard error. Colour and moving
 * lines only on a terminal, and never with NO_COLOR (no-color.org).
 */
import { writeSync } from "node:fs";
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta" | "blue";

/** Colours text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export interface Terminal {
  /** A line of data. */
  print(text: string): void;
  /** A line of talk: progress, remarks, errors. Nothing with `quiet`. */
  talk(text: string): void;
  /** A line of talk that `quiet` does not silence: what went wrong. */
  complain(text: string): void;
  /** Rewrites the moving line at the bottom; nothing unless standard error is a terminal. */
  progress(text: string): void;
  /** Takes the moving line away. */
  clearProgress(): void;
  readonly paint: Paint;
  readonly paintTalk: Paint;
  /** Whether a moving line is shown. */
  readonly live: boolean;
  /** Columns of standard output; 80 when it is not a terminal. */
  readonly columns: number;
}

const painted: Paint = (style, text) => styleText(style, text, { validateStream: false });
const plain: Paint = (_style, text) => text;

function paintFor(stream: NodeJS.WriteStream): Paint {
  const refused = process.env["NO_COLOR"] !== undefined && process.env["NO_COLOR"] !== "";
  return stream.isTTY && !refused && process.env["TERM"] !== "dumb" ? painted : plain;
}

/**
 * Writes all of `text` at once, whatever the stream is: a simulation keeps the event loop busy, so
 * what is only queued would appear at its end. A pipe that is full is tried again; one that is
 * closed ends the program, as the reader (`| head`) wants.
 */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error;
      // Waits a moment without the event loop.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

export function processTerminal(options: { readonly quiet: boolean }): Terminal {
  const live =
    process.stderr.isTTY &&
    !options.quiet &&
    (process.env["NO_COLOR"] ?? "") === "" &&
    process.env["TERM"] !== "dumb";
  let moving = false;
  const clear = (): void => {
    if (moving) writeAll(2, "\r\u001b[K");
    moving = false;
  };
  return {
    print(text) {
      clear();
      writeAll(1, `${text}\n`);
    },
    talk(text) {
      if (options.quiet) return;
      clear();
      writeAll(2, `${text}\n`);
    },
    complain(text) {
      clear();
      writeAll(2, `${text}\n`);
    },
    progress(text) {
      if (!live) return;
      writeAll(2, `\r\u001b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
      moving = true;
    },
    clearProgress: clear,
    paint: paintFor(process.stdout),
    paintTalk: paintFor(process.stderr),
    live,
    columns: process.stdout.columns || 80,
  };
}
