/** Where the time of a piece of work goes, by V8's sampling profiler: functions and folders by their own time. */
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

export interface ProfileShare {
  readonly name: string;
  /** Of all samples that were not idle. */
  readonly part: number;
}

export interface ProfileResult {
  readonly functions: readonly ProfileShare[];
  readonly folders: readonly ProfileShare[];
}

const sampleEveryUs = 500;

export async function profiled(work: () => void): Promise<ProfileResult> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: sampleEveryUs });
  await session.post("Profiler.start");
  work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();

  const functions = new Map<string, number>();
  const folders = new Map<string, number>();
  let total = 0;
  for (const { callFrame, hitCount = 0 } of profile.nodes) {
    const { functionName, url, lineNumber } = callFrame;
    if (
      hitCount === 0 ||
      functionName === "(idle)" ||
      functionName === "(root)" ||
      functionName === "(program)"
    )
      continue;
    total += hitCount;
    const file = repositoryPath(url);
    const name =
      file === ""
        ? functionName
        : `${functionName === "" ? "(anonymous)" : functionName} ${file}:${lineNumber + 1}`;
    functions.set(name, (functions.get(name) ?? 0) + hitCount);
    const folder =
      file === ""
        ? functionName === "(garbage collector)"
          ? "garbage collection"
          : "engine"
        : file.split("/").slice(0, -1).join("/");
    folders.set(folder, (folders.get(folder) ?? 0) + hitCount);
  }
  return { functions: shares(functions, total), folders: shares(folders, total) };
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Inside the repository the path from its root; of Node.js's own code nothing. */
function repositoryPath(url: string): string {
  if (!url.startsWith("file:")) return "";
  const path = fileURLToPath(url);
  return path.startsWith(root) ? path.slice(root.length) : "";
}

function shares(hits: ReadonlyMap<string, number>, total: number): ProfileShare[] {
  return [...hits]
    .map(([name, count]) => ({ name, part: count / Math.max(1, total) }))
    .sort((a, b) => b.part - a.part);
}
