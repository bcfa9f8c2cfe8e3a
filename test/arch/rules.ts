/**
 * The architecture as rules over files: who may import whom, what the deterministic rooms may not
 * touch, and the shape of files. Each rule gives one line per problem, with file, line and mend.
 */
import { posix } from "node:path";
import type { Room, SourceFile } from "./source-tree.ts";
import type { Token } from "./tokens.ts";

export type Rule = (file: SourceFile) => string[];

function roomOf(path: string): string {
  return path.split("/", 1)[0] as string;
}

// Imports

const mayImport: Readonly<Record<Room, readonly Room[]>> = {
  core: ["core"],
  sim: ["core", "sim"],
  runtime: ["core", "runtime"],
  visualizer: ["core", "sim", "visualizer"],
  experiments: ["core", "sim", "runtime", "experiments"],
  test: ["core", "sim", "runtime", "visualizer", "experiments", "test"],
};

/** Where the parts are put together: these may import every room but the tests. */
const compositionRoots = ["runtime/cli/", "runtime/bench/"];

/** Packages of the rooms that run in browsers as well as in Node.js. */
const packagesOf: Readonly<Partial<Record<Room, readonly string[]>>> = {
  core: [],
  sim: ["seedrandom"],
};

export interface Import {
  readonly from: string;
  readonly line: number;
}

/** Static and dynamic imports, and re-exports. */
export function importsOf(tokens: readonly Token[]): Import[] {
  const imports: Import[] = [];
  tokens.forEach((token, i) => {
    if (token.kind !== "string") return;
    const before = tokens[i - 1];
    const dynamic = before?.text === "(" && tokens[i - 2]?.text === "import";
    const named = before?.kind === "word" && (before.text === "from" || before.text === "import");
    if (dynamic || named) imports.push({ from: token.text, line: token.line });
  });
  return imports;
}

export const importRule: Rule = (file) => {
  const room = roomOf(file.path) as Room;
  const isRoot = compositionRoots.some((folder) => file.path.startsWith(folder));
  const rooms = isRoot ? mayImport.test.filter((other) => other !== "test") : mayImport[room];
  const packages = packagesOf[room];
  const problems: string[] = [];
  for (const { from, line } of importsOf(file.tokens)) {
    const where = `${file.path}:${line}`;
    if (!from.startsWith(".")) {
      const name = from.startsWith("@") ? from.split("/", 2).join("/") : from.split("/", 1)[0];
      if (packages !== undefined && !packages.includes(name as string)) {
        problems.push(`${where} imports ${from}: ${room} imports no such package`);
      }
      continue;
    }
    const target = posix.normalize(posix.join(posix.dirname(file.path), from));
    const targetRoom = roomOf(target);
    const outside = targetRoom === ".." || !Object.hasOwn(mayImport, targetRoom);
    if (outside && target !== "package.json") {
      problems.push(`${where} imports ${from}, which is in no room`);
    } else if (!outside && !rooms.includes(targetRoom as Room)) {
      problems.push(`${where} imports ${target}: ${room} may import ${rooms.join(", ")}`);
    }
  }
  return problems;
};

// Purity

/** The words of several lines. */
function wordsOf(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}

/**
 * Names whose meaning a machine, its clock, its locale or its engine's version decides. Of what
 * only hosts have, the compiler finds the rest: these rooms are checked without any host's types.
 */
const hostNames = wordsOf(
  "Date performance process globalThis console structuredClone Buffer TextEncoder TextDecoder",
  "setTimeout setInterval setImmediate clearTimeout clearInterval queueMicrotask",
  "Intl WebAssembly WeakRef FinalizationRegistry Atomics SharedArrayBuffer require eval Function",
);

/** Methods by which a locale comes in. */
const localeMethods = wordsOf(
  "localeCompare toLocaleString toLocaleLowerCase toLocaleUpperCase toLocaleDateString",
  "toLocaleTimeString",
);

/** Nothing in the core waits. */
const waitingWords = new Set(["async", "await", "Promise"]);

/** Of `Math`, what IEEE 754 fixes to the last bit, or integers do. */
const exactMath = wordsOf(
  "abs ceil floor round trunc sign min max sqrt imul clz32 fround",
  "PI E LN2 LN10 LOG2E LOG10E SQRT2 SQRT1_2",
);

export const purityRule: Rule = (file) => {
  const room = roomOf(file.path);
  if (room !== "core" && room !== "sim") return [];
  const problems: string[] = [];
  file.tokens.forEach((token, i) => {
    const where = `${file.path}:${token.line}`;
    const next = tokenAt(file, i + 1);
    if (token.kind === "mark" && token.text === "**") {
      if (!isExactPower(tokenAt(file, i - 1), next)) {
        problems.push(
          `${where} uses ** on other than whole literals: engines differ in its last bit`,
        );
      }
      return;
    }
    if (token.kind === "mark" || token.kind === "number") return;
    if (token.kind === "string" && token.text.startsWith("node:")) {
      problems.push(`${where} names ${token.text}: ${room} runs in browsers too`);
    }
    if (token.kind !== "word") return;
    // A property or a key of the same name is no host API.
    const isMember = tokenAt(file, i - 1) === ".";
    const isKey = next === ":" && /^[{,;(]?$/.test(tokenAt(file, i - 1));
    if ((hostNames.has(token.text) && !isMember && !isKey) || localeMethods.has(token.text)) {
      problems.push(
        `${where} uses ${token.text}: ${room} takes time, chance and hosts as arguments`,
      );
    }
    if (room === "core" && waitingWords.has(token.text) && !isMember && !isKey) {
      problems.push(`${where} uses ${token.text}: nothing in the core waits`);
    }
    if (token.text === "Math") {
      const member = tokenAt(file, i + 2);
      if (next !== "." || !exactMath.has(member)) {
        problems.push(`${where} uses Math${next}${member}: use integers, tables, + - * / and sqrt`);
      }
    }
  });
  return problems;
};

/** Whole literals, and integers of any length, which have no last bit to differ in. */
function isExactPower(base: string, exponent: string): boolean {
  return /^[0-9_]+n$/.test(base) || (/^[0-9_]+$/.test(base) && /^[0-9_]+$/.test(exponent));
}

function tokenAt(file: SourceFile, i: number): string {
  return file.tokens[i]?.text ?? "";
}

// Shape

export const maxLines = 450;
const kebabName = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/;
const kebabFolder = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export const shapeRule: Rule = (file) => {
  const problems: string[] = [];
  const parts = file.path.split("/");
  const name = parts.pop() as string;
  const lines = file.text.split("\n").length - (file.text.endsWith("\n") ? 1 : 0);
  if (lines > maxLines)
    problems.push(`${file.path} has ${lines} lines: split it below ${maxLines}`);
  if (!kebabName.test(name)) problems.push(`${file.path}: file names are kebab-case`);
  for (const folder of parts) {
    if (!kebabFolder.test(folder)) problems.push(`${file.path}: folder names are kebab-case`);
  }
  if (/^index\.(ts|tsx|js|mjs)$/.test(name)) {
    problems.push(`${file.path}: no barrels; import the file that has it`);
  }
  return problems;
};

/** Words of unfinished work, put together here so that this file does not hold them. */
const unfinished = new RegExp(
  `\\b(${["TO-DO", "FIX-ME", "X-XX", "HA-CK"].join("|").replaceAll("-", "")})\\b`,
);

export const finishedRule: Rule = (file) => {
  const problems: string[] = [];
  file.text.split("\n").forEach((text, i) => {
    const word = unfinished.exec(text);
    if (word !== null)
      problems.push(`${file.path}:${i + 1} says ${word[0]}: finish it or open an issue`);
  });
  if (roomOf(file.path) !== "test") return problems;
  file.tokens.forEach((token, i) => {
    const called = /^(test|it|describe|suite)$/.test(tokenAt(file, i - 2));
    if (called && tokenAt(file, i - 1) === "." && /^(skip|only|todo|fails)$/.test(token.text)) {
      problems.push(`${file.path}:${token.line} has a .${token.text}: every test runs and counts`);
    }
  });
  return problems;
};

/** Places and notes of those who write this, which nobody else has; put together as above. */
const elsewhere = new RegExp(
  ["/wo-rk/", "\\.\\./sha-red\\b", "\\bbri-ef\\.md"].join("|").replaceAll("-", ""),
);

export const selfContainedRule: Rule = (file) => {
  const problems: string[] = [];
  file.text.split("\n").forEach((text, i) => {
    if (elsewhere.test(text)) {
      problems.push(
        `${file.path}:${i + 1} names a place outside the repository: say what is needed here`,
      );
    }
  });
  return problems;
};

/** @param text of package-lock.json: it names no registry, so that anybody's serves. */
export function lockRule(text: string): string[] {
  return text
    .split("\n")
    .flatMap((line, i) =>
      line.includes('"resolved"') ? [`package-lock.json:${i + 1} names a registry`] : [],
    );
}
