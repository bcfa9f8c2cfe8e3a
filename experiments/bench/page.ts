/** The page of one experiment: its template with the gaps filled from its results. */
import type { Experiment } from "./experiment.ts";
import type { Results } from "./results.ts";

const gap = /\{\{([\w.-]+)\}\}/g;

/**
 * `{{name}}` stands for a value of the experiment's; `{{claims}}` and `{{run}}` for what every page has.
 * @throws Error naming a gap that nothing fills, or a value that no gap asks for.
 */
export function pageOf(experiment: Experiment, template: string, results: Results): string {
  const { command, run, rows } = results;
  const values: Record<string, string> = {
    ...experiment.values(results.summary),
    claims: results.claims
      .map(({ text, holds }) => `- ${holds ? "✓" : "✗ **not so:**"} ${text}`)
      .join("\n"),
    runs: String(rows.length),
    run: [
      "```",
      `npx ${command}`,
      "```",
      "",
      `${rows.length} runs, ${duration(run.cpuSeconds)} of CPU time, Node.js ${run.node}. ` +
        "[results.json](results.json) · [results.csv](results.csv) · [run.ts](run.ts)",
    ].join("\n"),
  };
  const used = new Set(["runs"]);
  const page = template.replaceAll(gap, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${experiment.name}: nothing fills {{${name}}}`);
    used.add(name);
    return value;
  });
  const idle = Object.keys(values).filter((name) => !used.has(name));
  if (idle.length > 0) throw new Error(`${experiment.name}: no gap asks for ${idle.join(", ")}`);
  return page;
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** A Markdown table; the first row is its head. Numbers stand to the right. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...body.map(line)].join("\n");
}
