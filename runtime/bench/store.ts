/**
 * `npm run bench store`: what replication costs. Plain SQLite, Patina and the native extension run
 * the same work side by side in one process, several times over, and the medians of their CPU time
 * are compared: ratios of one run mean more than rows a second of one machine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatTable, median } from "../cli/format.ts";
import { type LocalCase, measureLocal, type Measures } from "./store-local.ts";
import { measureExtensionMerge, measurePatinaMerge } from "./store-merge.ts";
import { measureGroups } from "./store-group.ts";
import { measureOpening } from "./store-opening.ts";
import {
  extensionSubject,
  giveEvenSettings,
  patinaSubject,
  plainSubject,
  type Subject,
  type SubjectName,
} from "./store-subjects.ts";

const usage = `usage: npm run bench store -- [PART…] [--rows N] [--reps N] [--crsqlite PATH] [--dir DIR]

  local            inserts, updates, deletes; size on disk
  merge            merging another node's changes, exporting one's own
  group            transactions of one row, committed alone or many together
  open             opening a database of --rows × 10 rows
  --rows N         rows of a table (default 100000; transactions of one row: a fifth of it)
  --reps N         repetitions of which the median is printed (default 5)
  --crsqlite PATH  the extension's shared library, to compare with
  --even           plain SQLite and the extension get Patina's page cache and checkpoints
                   (default: SQLite's own, 16 MB and 1,000 pages, as most programs run it)
  --dir DIR        where the databases stand while it runs (default: a new one under ${tmpdir()})
`;

const parts = ["local", "merge", "group", "open"] as const;
type Part = (typeof parts)[number];

interface Plan {
  readonly parts: readonly Part[];
  readonly rows: number;
  readonly reps: number;
  readonly library: string | null;
  readonly even: boolean;
  readonly directory: string;
}

/** By workload, then by subject: one value a repetition. */
type Samples = Map<string, Map<SubjectName, number[]>>;

export async function run(args: readonly string[]): Promise<void> {
  const plan = planOf(args);
  if (plan === null) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  if (plan.even) giveEvenSettings();
  try {
    await measureAll(plan);
  } finally {
    rmSync(plan.directory, { recursive: true, force: true });
  }
}

function planOf(args: readonly string[]): Plan | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rows: { type: "string", default: "100000" },
      reps: { type: "string", default: "5" },
      crsqlite: { type: "string" },
      even: { type: "boolean", default: false },
      dir: { type: "string", default: tmpdir() },
      help: { type: "boolean", default: false },
    },
  });
  const rows = Number(values.rows);
  const reps = Number(values.reps);
  const unknown = positionals.some((word) => !parts.includes(word as Part));
  if (values.help || unknown || !(rows >= 1000 && Number.isInteger(rows)) || !(reps >= 1))
    return null;
  return {
    parts: positionals.length === 0 ? parts : parts.filter((part) => positionals.includes(part)),
    rows: rows - (rows % 400),
    reps,
    library: values.crsqlite ?? null,
    even: values.even,
    directory: mkdtempSync(join(values.dir, "patina-bench-")),
  };
}

async function measureAll(plan: Plan): Promise<void> {
  const samples: Samples = new Map();
  const { parts: chosen } = plan;
  const isRepeated = chosen.includes("local") || chosen.includes("merge");
  if (isRepeated) warmUp(plan);
  const reps = isRepeated ? plan.reps : 0;
  for (let rep = 1; rep <= reps; rep++) {
    process.stderr.write(`repetition ${rep} of ${plan.reps}\n`);
    if (plan.parts.includes("local")) measureLocals(plan, samples);
    if (plan.parts.includes("merge")) measureMerges(plan, samples);
  }
  if (samples.size > 0) print(samples);
  if (plan.parts.includes("group")) measureGroups(plan.directory, Math.floor(plan.rows / 25));
  if (plan.parts.includes("open")) await measureOpening(plan.directory, plan.rows * 10, plan.reps);
}

/** The same work once on less, so that no repetition pays for compiling the program. */
function warmUp(plan: Plan): void {
  const few = { ...plan, rows: 20_000 };
  const unused: Samples = new Map();
  if (plan.parts.includes("local")) measureLocals(few, unused);
  if (plan.parts.includes("merge")) measureMerges(few, unused);
}

function measureLocals(plan: Plan, samples: Samples): void {
  const cases: LocalCase[] = [
    { keys: "integer", rows: Math.floor(plan.rows / 5), perTransaction: 1 },
    { keys: "integer", rows: plan.rows, perTransaction: 100 },
    { keys: "integer", rows: plan.rows, perTransaction: 10_000 },
    { keys: "text", rows: plan.rows, perTransaction: 100 },
    { keys: "text", rows: plan.rows, perTransaction: 10_000 },
  ];
  const subjects: Subject[] = [plainSubject, patinaSubject];
  if (plan.library !== null) subjects.push(extensionSubject(plan.library));
  for (const local of cases) {
    for (const subject of subjects) {
      add(samples, subject.name, measureLocal(subject, join(plan.directory, "local.db"), local));
    }
  }
}

function measureMerges(plan: Plan, samples: Samples): void {
  add(samples, "patina", measurePatinaMerge(plan.directory, plan.rows));
  if (plan.library === null) return;
  add(samples, "extension", measureExtensionMerge(plan.directory, plan.rows, plan.library));
}

function add(samples: Samples, subject: SubjectName, measures: Measures): void {
  for (const [label, value] of measures) {
    const bySubject = samples.get(label) ?? new Map<SubjectName, number[]>();
    samples.set(label, bySubject);
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), value]);
  }
}

function print(samples: Samples): void {
  const lines = [...samples].map(([label, bySubject]) => {
    const of = (name: SubjectName) => {
      const values = bySubject.get(name);
      return values === undefined ? null : median(values);
    };
    const [plain, patina, extension] = [of("plain"), of("patina"), of("extension")];
    return [
      label,
      figure(plain),
      figure(patina),
      figure(extension),
      patina !== null && plain !== null ? `${(patina / plain).toFixed(2)}×` : "",
      patina !== null && extension !== null ? `${(extension / patina).toFixed(2)}×` : "",
    ];
  });
  const head = [
    "µs of CPU a row or cell",
    "plain",
    "Patina",
    "extension",
    "Patina/plain",
    "ext./Patina",
  ];
  const aligns = head.map((_, i) => (i === 0 ? "left" : "right") as "left" | "right");
  process.stdout.write(`${formatTable([head, ...lines], aligns).join("\n")}\n`);
}

function figure(value: number | null): string {
  return value === null ? "" : value.toFixed(2);
}
