/** The pages that gather all experiments: Markdown for the repository, HTML to hand to somebody. */
import { marked } from "marked";
import type { Experiment } from "./experiment.ts";
import { faint, ink, paper, soft } from "./palette.ts";
import type { Results } from "./results.ts";
import { escaped } from "./svg.ts";

export interface Part {
  readonly experiment: Experiment;
  /** Null where it has not been run. */
  readonly results: Results | null;
  readonly files: Readonly<Record<string, string>> | null;
}

/** @param frame the page's template, with `{{list}}` where the experiments go. */
export function gatheredPage(frame: string, parts: readonly Part[]): string {
  const list = parts.map(({ experiment, results }) => {
    const { name, title, question } = experiment;
    const head = `### [${title}](${name}/README.md)\n\n${question}\n`;
    if (results === null) return `${head}\nNot run yet.\n`;
    const claims = results.claims.map(
      ({ text, holds }) => `- ${holds ? "✓" : "✗ **not so:**"} ${text}`,
    );
    return `${head}\n${claims.join("\n")}\n\n[![${title}](${name}/plot.svg)](${name}/README.md)\n`;
  });
  return frame.replace("{{list}}", () => list.join("\n"));
}

export function reportPage(parts: readonly Part[]): string {
  const run = parts.filter(({ files }) => files !== null);
  const index = run.map(
    ({ experiment, results }) =>
      `<li><a href="#${experiment.name}">${escaped(experiment.title)}</a> ${score(results)}</li>`,
  );
  const sections = run.map(
    ({ experiment, files }) =>
      `<section id="${experiment.name}">\n${sectionOf(experiment.name, files ?? {})}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Patina: experiments</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Patina: experiments</h1>
<p>Each asks a question, states a prediction, and is repeated exactly by one command.</p>
<ol>${index.join("\n")}</ol>
</header>
${sections.join("\n")}
</body>
</html>
`;
}

function score(results: Results | null): string {
  const claims = results?.claims ?? [];
  const held = claims.filter(({ holds }) => holds).length;
  return `<span>${held} of ${claims.length} statements hold</span>`;
}

/** The experiment's page with its plot inside, and without links to files that are not here. */
function sectionOf(name: string, files: Readonly<Record<string, string>>): string {
  const page = (files["README.md"] ?? "")
    .replace(/!\[[^\]]*\]\(plot\.svg\)/, "@@plot@@")
    .replaceAll(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, (_, text: string) => `\`${name}/${text}\``);
  const html = marked.parse(page, { async: false });
  const plot = `<figure>${files["plot.svg"] ?? ""}</figure>`;
  return html.replace(/<p>@@plot@@<\/p>/, () => plot);
}

const style = `
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.5rem 6rem; background: ${paper}; color: ${ink};
  font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .6rem; }
h2 { font-size: 1.15rem; margin: 1.8rem 0 .5rem; }
section { border-top: 1px solid ${faint}; margin-top: 3rem; padding-top: 2.5rem; }
section p, section li, header p { max-width: 46rem; }
header span { color: ${soft}; font-size: .9rem; margin-left: .4rem; }
figure { margin: 1.2rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid ${faint}; padding: .3rem .7rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
pre { background: #f5f3ee; padding: .7rem 1rem; border-radius: 4px; overflow-x: auto; }
code { font-size: .9em; }
a { color: #0b5f8f; }
`;
