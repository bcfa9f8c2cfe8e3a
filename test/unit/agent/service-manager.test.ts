/** What systemd is told, by a program of the name of the one that tells it. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type ServiceManager, serviceManager } from "../../../runtime/agent/service-manager.ts";

interface Told {
  readonly env: NodeJS.ProcessEnv;
  readonly manager: ServiceManager;
  /** What was said: the socket, and the words after those that are always the same. */
  readonly said: () => readonly string[];
}

/** @param env besides PATH and NOTIFY_SOCKET. */
function systemd(env: NodeJS.ProcessEnv): Told {
  const folder = mkdtempSync(join(tmpdir(), "patina-systemd-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [program, file] = [join(folder, "systemd-notify"), join(folder, "said")];
  writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> '${file}'\n`);
  chmodSync(program, 0o755);
  const whole = {
    PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
    NOTIFY_SOCKET: "/run/here",
    ...env,
  };
  const manager = serviceManager(whole, (why) => {
    throw new Error(why);
  });
  const said = (): readonly string[] =>
    existsSync(file)
      ? readFileSync(file, "utf8")
          .trim()
          .split("\n")
          .map((line) => line.replace(`--no-block --pid=${process.pid} `, ""))
      : [];
  return { env: whole, manager, said };
}

const long = { timeout: 10_000 };

describe.skipIf(process.platform === "win32")("where systemd waits for news", () => {
  test("it hears that the node is ready, reloads and stops, one after the other", async () => {
    const { env, manager, said } = systemd({});
    const expected = [
      "/run/here --ready --status=at 1",
      "/run/here RELOADING=1",
      "/run/here STOPPING=1",
    ];
    for (const [i, tell] of [
      () => manager.ready("at 1"),
      () => manager.reloading(),
      () => manager.stopping(),
    ].entries()) {
      tell();
      await vi.waitFor(() => expect(said()).toEqual(expected.slice(0, i + 1)), long);
    }
    // Nobody else is to speak for the node.
    expect(env).not.toHaveProperty("NOTIFY_SOCKET");
    expect(manager.watchdogMs).toBeNull();
  });

  test("signs of life are given at half the interval or sooner, not each time", async () => {
    const { manager, said } = systemd({ WATCHDOG_USEC: "30000000" });
    expect(manager.watchdogMs).toBe(15_000);
    const now = vi.spyOn(performance, "now").mockReturnValue(1000);
    onTestFinished(() => now.mockRestore());
    for (let i = 0; i <= 6; i++) {
      now.mockReturnValue(1000 + i * 2500);
      manager.alive();
    }
    now.mockRestore();
    await vi.waitFor(() => expect(said()).toEqual(Array(3).fill("/run/here WATCHDOG=1")), long);
  });

  test("signs of life that another process owes are not given", () => {
    const { manager } = systemd({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" });
    expect(manager.watchdogMs).toBeNull();
  });

  test("without systemd-notify it is told once that nobody hears", async () => {
    const complain = vi.fn();
    const manager = serviceManager({ PATH: "/nowhere", NOTIFY_SOCKET: "/run/here" }, complain);
    manager.ready("at 1");
    await vi.waitFor(() => expect(complain).toHaveBeenCalledOnce(), long);
    manager.stopping();
    expect(complain.mock.calls[0]?.[0]).toMatch(/systemd-notify/);
  });
});

test("without systemd nothing is said", () => {
  const manager = serviceManager({ PATH: "/nowhere" }, () => expect.unreachable());
  manager.ready("at 1");
  manager.alive();
  expect(manager.watchdogMs).toBeNull();
});
