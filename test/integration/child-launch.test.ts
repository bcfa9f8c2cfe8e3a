/** How a child is started where the program that ends it with its parent is there and cannot do it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Child } from "../../runtime/ipc/child.ts";

const script = new URL("../../runtime/store-process/main.ts", import.meta.url);

test.runIf(process.platform === "linux")(
  "a child starts where setpriv is not allowed what it does, as under a filter of system calls",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "patina-setpriv-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const fake = join(folder, "setpriv");
    writeFileSync(
      fake,
      '#!/bin/sh\n[ "$1" = --help ] && { echo " --pdeathsig"; exit 0; }\necho "setpriv: activate capabilities: Operation not permitted" >&2\nexit 127\n',
    );
    chmodSync(fake, 0o755);
    vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"] ?? ""}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const told = Promise.withResolvers<string>();
    const ended = Promise.withResolvers<void>();
    const child = new Child({
      script,
      frame: () => told.resolve("it answers"),
      ended: (code) => {
        told.resolve(`it ended with ${code}`);
        ended.resolve();
      },
    });
    child.send({ type: "info" });
    expect(await told.promise).toBe("it answers");
    child.kill();
    await ended.promise;
  },
);
