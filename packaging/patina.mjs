#!/usr/bin/env node
/** The program as it is installed: from the sources in a clone, else what was built of them. */
import { existsSync, readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [major, minor] = process.versions.node.split(".").map(Number);
const [leastMajor, leastMinor] = engines.node.replace(">=", "").split(".").map(Number);
if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
  const least = `${leastMajor}.${leastMinor}`;
  process.stderr.write(
    `patina: this is Node.js ${process.versions.node}; Patina needs ${least} or later: install it, and have it first in PATH\n`,
  );
  process.exit(1);
}
const source = new URL("../runtime/cli/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : "../dist/runtime/cli/main.js");
