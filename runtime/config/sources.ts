/** Where settings come from: files, the environment, the command line. Each gives names and values as they are. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { nearest } from "../../core/base/nearest.ts";
import { type Complaints, ConfigError } from "./config-error.ts";
import { sections, type Setting, settings } from "./settings.ts";

/** A setting as a source gives it. */
export interface Given {
  readonly key: string;
  readonly value: unknown;
  /** For people: "node.toml:7", "PATINA__GOSSIP__ADDR", "--set". */
  readonly origin: string;
  /** What relative paths are relative to. */
  readonly folder: string;
  /** The file that says so; null: none. */
  readonly file: string | null;
}

const envPrefix = "PATINA__";

/** @throws ConfigError for a file that cannot be read; what is wrong in it is told to `complaints`. */
export function fromFile(path: string, shown: string, complaints: Complaints): Given[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`${shown}: cannot be read: ${reason(error)}`);
  }
  let tree: Record<string, unknown>;
  try {
    tree = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const why = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    throw new ConfigError(`${shown}:${error.line}: is not TOML: ${why}`);
  }
  const folder = dirname(resolve(path));
  const given: Given[] = [];
  const walk = (table: Record<string, unknown>, prefix: string): void => {
    for (const [name, value] of Object.entries(table)) {
      const key = prefix === "" ? name : `${prefix}.${name}`;
      const line = lineOf(text, key);
      const origin = line === null ? shown : `${shown}:${line}`;
      if (Object.hasOwn(settings, key)) given.push({ key, value, origin, folder, file: path });
      else if (sections.has(key) && isTable(value)) walk(value, key);
      else complaints.tell(unknown(key, origin, sections.has(key)), sectionOf(key));
    }
  };
  walk(tree, "");
  return given;
}

export function fromEnvironment(
  env: NodeJS.ProcessEnv,
  folder: string,
  complaints: Complaints,
): Given[] {
  const given: Given[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(envPrefix) || text === undefined) continue;
    const key = name.slice(envPrefix.length).toLowerCase().replaceAll("__", ".");
    const setting = settingOf(key, name, complaints);
    if (setting === null) continue;
    given.push({ key, value: fromText(setting, text), origin: name, folder, file: null });
  }
  return given.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** @param texts "gossip.addr=127.0.0.1:1" each. */
export function fromFlags(
  texts: readonly string[],
  folder: string,
  complaints: Complaints,
): Given[] {
  return texts.flatMap((text) => {
    const at = text.indexOf("=");
    if (at < 1) {
      complaints.tell(`--set ${text}: is KEY=VALUE, such as --set log.level=debug`);
      return [];
    }
    const key = text.slice(0, at).trim();
    const setting = settingOf(key, "--set", complaints);
    if (setting === null) return [];
    const value = fromText(setting, text.slice(at + 1));
    return [{ key, value, origin: "--set", folder, file: null }];
  });
}

function settingOf(key: string, origin: string, complaints: Complaints): Setting | null {
  const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (setting !== undefined) return setting;
  complaints.tell(unknown(key, origin, false), sectionOf(key));
  return null;
}

/** What may have been meant: nothing is known of the section then. */
function sectionOf(key: string): string {
  const at = key.lastIndexOf(".");
  return at < 0 ? key : key.slice(0, at);
}

/** What cannot be read as the setting's kind stays text, and is refused with the others. */
function fromText({ form }: Setting, text: string): unknown {
  switch (form) {
    case "number":
      return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case "flag":
      return text === "true" ? true : text === "false" ? false : text;
    case "list":
      return text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "");
    case "tables":
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    case "text":
      return text;
  }
}

function unknown(key: string, origin: string, isSection: boolean): string {
  if (isSection) return `${origin}: ${key} is a section; write [${key}] and its settings`;
  const near = nearest(key, [...Object.keys(settings), ...sections]) ?? nearestByLastPart(key);
  const mend =
    near === null ? "docs/configuration.md lists all there are" : `did you mean ${near}?`;
  return `${origin}: there is no setting ${key}; ${mend}`;
}

/** The right name in the wrong section. */
function nearestByLastPart(key: string): string | null {
  const last = key.slice(key.lastIndexOf(".") + 1);
  const known = Object.keys(settings);
  const lasts = known.map((name) => name.slice(name.lastIndexOf(".") + 1));
  const near = nearest(last, lasts);
  return near === null ? null : (known[lasts.indexOf(near)] ?? null);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The line on which a key stands in a TOML text, from 1; null where it is written in some other way. */
export function lineOf(text: string, key: string): number | null {
  let section = "";
  let found: number | null = null;
  text.split("\n").forEach((line, i) => {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?/.exec(line);
    if (header !== null) section = (header[1] as string).replace(/["\s]/g, "");
    const name = /^\s*([\w."-]+)\s*=/.exec(line)?.[1]?.replaceAll('"', "");
    const full = name === undefined ? section : section === "" ? name : `${section}.${name}`;
    if (found === null && full === key) found = i + 1;
  });
  return found;
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied";
  return code === "EISDIR" ? "it is a folder" : message;
}
