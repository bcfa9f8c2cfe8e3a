/**
 * `npm run bench ui`: the visualizer's figures in a real browser (Chromium from its npm package): a
 * trace of a million events opened in the page's worker, what it takes in memory, how long drawing
 * and seeking take, and how large the page is.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createRun } from "../../sim/run.ts";
import { buildScenario, findBuiltIn } from "../../sim/scenarios/built-in.ts";
import { TraceBuilder } from "../../visualizer/model/ingest.ts";
import { type Trace, traceMemory } from "../../visualizer/model/trace.ts";
import { buildIndex } from "../../visualizer/model/trace-index.ts";
import { formatBytes, formatCount, formatTable, median, percentile } from "../cli/format.ts";
import { ensureBundle, readAssets } from "../replay/bundle.ts";
import { startReplayServer } from "../replay/server.ts";
import { measurePage, type PageFigures } from "./ui-page.ts";

const scenarioName = "churn-100";
const wantedEvents = 1_000_000;

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
}

export async function run(args: readonly string[]): Promise<void> {
  if (args.length > 0) {
    process.stderr.write("usage: npm run bench ui\n");
    process.exitCode = 2;
    return;
  }
  await ensureBundle();
  const assets = readAssets();
  const folder = mkdtempSync(join(tmpdir(), "patina-bench-ui-"));
  try {
    const path = join(folder, "million.ndjson.gz");
    const text = recordTrace();
    writeFileSync(path, gzipSync(text, { level: 6 }));
    const cut = join(folder, "cut.ndjson.gz");
    writeFileSync(cut, gzipSync(text, { level: 1 }).subarray(0, -1_000_000));
    const rows = [...readingRows(text)];
    const options = { assets, live: null, port: 0, host: "127.0.0.1" };
    const server = await startReplayServer({ ...options, trace: path });
    const damaged = await startReplayServer({ ...options, trace: cut });
    try {
      rows.push(...pageRows(await measurePage(server.url, damaged.url)));
    } finally {
      await server.close();
      await damaged.close();
    }
    const bytes = [...assets.values()].reduce((sum, { body }) => sum + gzipSync(body).length, 0);
    rows.push({ what: "the page, gzipped", figure: formatBytes(bytes), goal: "≤ 400 kB" });
    print(rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first million events of a busy cluster. */
function recordTrace(): Buffer {
  const builtIn = findBuiltIn(scenarioName);
  if (builtIn === null) throw new Error(`there is no scenario ${scenarioName}`);
  const lines: string[] = [];
  const scenario = buildScenario(builtIn, builtIn.nodes);
  const run = createRun(scenario, { seed: "bench", trace: (line) => lines.push(line) });
  while (lines.length <= wantedEvents && !run.step(run.nowUs + 100_000));
  return Buffer.from(lines.slice(0, wantedEvents + 1).join(""));
}

/** Reading and indexing in this process, where CPU time can be told exactly. */
function* readingRows(text: Buffer): Generator<Row> {
  const cpu: number[] = [];
  let trace: Trace | null = null;
  let indexBytes = 0;
  for (let rep = 0; rep < 3; rep++) {
    const before = process.cpuUsage();
    const builder = new TraceBuilder();
    for (let at = 0; at < text.length; at += 65_536) builder.push(text.subarray(at, at + 65_536));
    builder.end();
    trace = builder.snapshot();
    const index = buildIndex(trace);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
    indexBytes = traceMemory(index as unknown as Trace);
  }
  if (trace === null) return;
  const { count } = trace;
  yield {
    what: `${formatCount(count)} events of ${trace.nodes.length} nodes (${formatBytes(text.length)} of text) read and indexed in Node`,
    figure: `${(median(cpu) / 1000).toFixed(2)} s of CPU`,
    goal: "< 3 s",
  };
  yield {
    what: "memory of the trace",
    figure: `${(traceMemory(trace) / count).toFixed(1)} bytes an event`,
    goal: "≤ 100",
  };
  yield {
    what: "memory of its indexes",
    figure: `${(indexBytes / count).toFixed(1)} bytes an event`,
    goal: "(both ≤ 100)",
  };
}

function pageRows(figures: PageFigures): Row[] {
  const ms = (values: readonly number[]): string =>
    `${median(values).toFixed(1)} ms (p95 ${percentile(values, 0.95).toFixed(1)})`;
  return [
    {
      what: `the same, gzipped, opened in the page's worker; progress shown ${figures.progressShown} times`,
      figure:
        figures.workerCpuMs === null
          ? `${(figures.openWallMs / 1000).toFixed(2)} s of wall time`
          : `${(figures.workerCpuMs / 1000).toFixed(2)} s of CPU`,
      goal: "< 3 s",
    },
    {
      what: "a file cut off: opened up to where it is whole",
      figure: `${formatCount(figures.cutEvents)} events; “${figures.cutNote}”`,
      goal: "says so",
    },
    ...figures.draws.map(({ what, marks, cpuMs, scriptMs, rasterMs }) => ({
      what: `${what} (${formatCount(marks)} events in view)`,
      figure: `${ms(scriptMs)}, painted ${median(rasterMs).toFixed(1)} ms later${cpuMs === null ? "" : `; ${cpuMs.toFixed(1)} ms of CPU for the whole frame`}`,
      // The goal is about what can be told apart; more than that is drawn as strips.
      goal: marks < 20_000 ? "< 8 ms" : "",
    })),
    ...figures.seeks.map(({ view, renderMs }) => ({
      what: `a seek to anywhere, ${view}`,
      figure: `${ms(renderMs)}, at most ${Math.max(...renderMs).toFixed(1)}`,
      goal: "< 50 ms",
    })),
  ];
}

function print(rows: readonly Row[]): void {
  const lines = formatTable(
    [["", "measured", "goal"], ...rows.map(({ what, figure, goal }) => [what, figure, goal])],
    ["left", "left", "left"],
  );
  process.stdout.write(`${lines.join("\n")}\n`);
}
