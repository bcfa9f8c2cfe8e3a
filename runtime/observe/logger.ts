/** The node's log: one JSON object a line, or lines for people. */
import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";
import type { LogLevel } from "../config/node-config.ts";

/** What the parts of a node are handed: they log, and neither know nor care where it goes. */
export type Logger = Pick<
  PinoLogger,
  "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "child"
>;

export interface LogOptions {
  readonly format: "json" | "text";
  readonly level: LogLevel;
  /** The node's name: in every line. */
  readonly name: string;
  /** Standard error where left out: standard output is for data. */
  readonly destination?: DestinationStream;
}

export interface NodeLog {
  readonly log: Logger;
  setLevel(level: LogLevel): void;
}

export function startLog({ format, level, name, destination }: LogOptions): NodeLog {
  const out = destination ?? pino.destination({ fd: 2, sync: true });
  const log = pino(
    {
      level,
      base: { node: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Whatever is logged of a request: these never are.
      redact: { paths: ["authorization", "*.authorization", "token", "*.token"], remove: true },
    },
    format === "json" ? out : new TextLines(out),
  );
  return {
    log,
    setLevel(next) {
      log.level = next;
    },
  };
}

interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly node: string;
  readonly msg?: string;
  readonly err?: { readonly stack?: string };
}

/** Turns each line of JSON into one for people: time, level, message, then the rest as `key=value`. */
class TextLines implements DestinationStream {
  readonly #out: DestinationStream;

  constructor(out: DestinationStream) {
    this.#out = out;
  }

  write(line: string): void {
    const { time, level, node, msg, err, ...rest } = JSON.parse(line) as LogLine;
    const parts = [time, level.toUpperCase().padEnd(5), `[${node}]`];
    if (msg !== undefined) parts.push(msg);
    for (const [key, value] of Object.entries(rest)) parts.push(`${key}=${shown(value)}`);
    const stack = err?.stack === undefined ? "" : `\n${err.stack}`;
    this.#out.write(`${parts.join(" ")}${stack}\n`);
  }
}

function shown(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** For tests, and for what has no node around it. */
export const silentLog: Logger = pino({ level: "silent" });
