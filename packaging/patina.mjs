#!/usr/bin/env node
/** The program as it is installed: from the sources in a clone, else what was built of them. */
import { existsSync } from "node:fs";

const source = new URL("../runtime/cli/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : "../dist/runtime/cli/main.js");
