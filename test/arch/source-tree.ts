/** The files of the repository, as the architecture tests see them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Token, tokensOf } from "./tokens.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export const rooms = ["core", "sim", "runtime", "visualizer", "experiments", "test"] as const;
export type Room = (typeof rooms)[number];

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Of TypeScript and JavaScript; else empty. */
  readonly tokens: readonly Token[];
}

const passedOver = new Set(["node_modules", "dist", "coverage", ".git", ".vite"]);
const code = /\.(ts|tsx|js|mjs)$/;

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, tokens: code.test(path) ? tokensOf(text) : [] };
}

function pathsUnder(folder: string): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (passedOver.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...pathsUnder(path));
    else if (entry.isFile()) paths.push(relative(root, path).split(sep).join("/"));
  }
  return paths.sort();
}

function read(path: string): SourceFile {
  return sourceFile(path, readFileSync(join(root, path), "utf8"));
}

/** TypeScript and JavaScript of all rooms. */
export function codeFiles(): SourceFile[] {
  return rooms
    .flatMap((room) => {
      // A room that is still empty is not in a clone.
      const folder = join(root, room);
      return existsSync(folder) ? pathsUnder(folder) : [];
    })
    .filter((path) => code.test(path))
    .map(read);
}

/** All that people wrote: code, pages, styles, documents, settings. */
export function writtenFiles(): SourceFile[] {
  return pathsUnder(root)
    .filter((path) => /\.(ts|tsx|js|mjs|css|html|md|json|toml|yml|sh)$|^\.ci\//.test(path))
    .filter((path) => path !== "package-lock.json" && !path.endsWith("results.json"))
    .map(read);
}
