#!/usr/bin/env node
/** The `patina` program. */
import { enableCompileCache } from "node:module";

// Stripping types and compiling take longer than a short run: done once per version of the code.
enableCompileCache();

const { runCommandLine } = await import("./program.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));
