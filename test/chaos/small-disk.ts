/** A file system in memory that can be filled: mounted for the test, gone after it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync } from "node:fs";

const roomBytes = 1 << 30;

/** Why there is none here; null: there is. */
export function whyNoSmallDisk(): string | null {
  if (process.platform !== "linux") return "a file system in memory is mounted, as Linux does";
  if (process.getuid?.() !== 0) return "mounting a file system takes root";
  try {
    execFileSync("mount", ["--version"], { stdio: "ignore" });
    return null;
  } catch {
    return "there is no command mount";
  }
}

export class SmallDisk {
  readonly path: string;

  /** @param path is made. @throws Error where it cannot be mounted. */
  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${roomBytes}`, "tmpfs", path]);
  }

  /** No room from now on but for what is there. */
  fill(): void {
    const { blocks, bfree, bsize } = statfsSync(this.path);
    this.#resize(Math.max(bsize, (blocks - bfree) * bsize));
  }

  makeRoom(): void {
    this.#resize(roomBytes);
  }

  remove(): void {
    execFileSync("umount", ["-l", this.path]);
  }

  #resize(bytes: number): void {
    try {
      execFileSync("mount", ["-o", `remount,size=${bytes}`, this.path], { stdio: "pipe" });
    } catch (error) {
      // Something was written since it was measured: then it is as full as it can be made.
      if (bytes === roomBytes) throw error;
    }
  }
}
