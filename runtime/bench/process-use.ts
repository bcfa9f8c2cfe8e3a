/** What processes and their children take, as Linux tells it. */
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;

export interface ProcessUse {
  /** Seconds of CPU so far. */
  readonly cpuSeconds: number;
  /** Proportional set size: pages shared by n processes count 1/n. */
  readonly pssBytes: number;
  /** Resident set size, as `top` shows it: pages shared by n processes count n times. */
  readonly rssBytes: number;
  readonly processes: number;
}

/** Of a process and all below it. Those that end meanwhile count for nothing. */
export function useOf(pid: number): ProcessUse {
  let [cpuSeconds, pssBytes, rssBytes, processes] = [0, 0, 0, 0];
  for (const one of [pid, ...descendants(pid)]) {
    try {
      cpuSeconds += cpuOf(one);
      const memory = memoryOf(one);
      pssBytes += memory.pssBytes;
      rssBytes += memory.rssBytes;
      processes++;
    } catch {
      continue;
    }
  }
  return { cpuSeconds, pssBytes, rssBytes, processes };
}

/** Seconds of CPU so far, of a process and all below it; memory is dearer to ask for. */
export function cpuOfTree(pid: number): number {
  let cpuSeconds = 0;
  for (const one of [pid, ...descendants(pid)]) {
    try {
      cpuSeconds += cpuOf(one);
    } catch {
      continue;
    }
  }
  return cpuSeconds;
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Of one process, without those below it. */
export function memoryOf(pid: number): Pick<ProcessUse, "pssBytes" | "rssBytes"> {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const kib = (line: RegExp): number => Number(line.exec(rollup)?.[1] ?? 0);
  return { pssBytes: kib(/^Pss:\s+(\d+)/m) * 1024, rssBytes: kib(/^Rss:\s+(\d+)/m) * 1024 };
}

function descendants(pid: number): number[] {
  const children: number[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const list = readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").trim();
      if (list !== "") children.push(...list.split(" ").map(Number));
    }
  } catch {
    return [];
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}
