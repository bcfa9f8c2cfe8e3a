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
  loggedSubject,
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
  --rows N         rows of a table (default 100000)
  --reps N         repetitions of which the median is printed (default 5)
  --transaction N  of local workloads only those with N rows a transaction: 1, 100 or 10000
  --keys KIND      of local workloads only those with integer or text keys
  --crsqlite PATH  the extension's shared library, to compare with
  --even           plain SQLite and the extension get Patina's page cache and checkpoints
                   (default: SQLite's own, 16 MB and 1,000 pages, as most programs run it)
  --dir DIR        where the databases stand while it runs (default: a new one under ${tmpdir()})
`;

const parts = ["local", "merge", "group", "open"] as const;
type Part = (typeof parts)[number];

interface Plan {
  readonly parts: readonly Part[];
  readonly cases: readonly LocalCase[];
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
      transaction: { type: "string" },
      keys: { type: "string" },
      crsqlite: { type: "string" },
      even: { type: "boolean", default: false },
      dir: { type: "string", default: tmpdir() },
      help: { type: "boolean", default: false },
    },
  });
  const rows = Number(values.rows);
  const reps = Number(values.reps);
  const unknown = positionals.some((word) => !parts.includes(word as Part));
  const cases = localCases(rows).filter(({ keys, perTransaction }) => {
    const { transaction = String(perTransaction) } = values;
    return transaction === String(perTransaction) && (values.keys ?? keys) === keys;
  });
  if (
    values.help ||
    unknown ||
    cases.length === 0 ||
    !(rows >= 1000 && Number.isInteger(rows)) ||
    !(reps >= 1)
  )
    return null;
  return {
    parts: positionals.length === 0 ? parts : parts.filter((part) => positionals.includes(part)),
    cases,
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
  const cases = plan.cases.map((local) => ({ ...local, rows: Math.min(local.rows, 20_000) }));
  const few = { ...plan, cases, rows: 20_000 };
  const unused: Samples = new Map();
  if (plan.parts.includes("local")) measureLocals(few, unused);
  if (plan.parts.includes("merge")) measureMerges(few, unused);
}

function localCases(rows: number): LocalCase[] {
  return [
    { keys: "integer", rows, perTransaction: 1 },
    { keys: "integer", rows, perTransaction: 100 },
    { keys: "integer", rows, perTransaction: 10_000 },
    { keys: "text", rows, perTransaction: 100 },
    { keys: "text", rows, perTransaction: 10_000 },
  ];
}

function measureLocals(plan: Plan, samples: Samples): void {
  const subjects: Subject[] = [plainSubject, patinaSubject];
  if (plan.library !== null) subjects.push(extensionSubject(plan.library));
  const path = join(plan.directory, "local.db");
  for (const local of plan.cases) {
    for (const subject of subjects) {
      add(samples, subject.name, measureLocal(subject, path, local));
    }
    if (local.perTransaction > 1) continue;
    // What no store that logs each transaction in the same file can go below.
    for (const [label, value] of measureLocal(loggedSubject, path, local)) {
      if (label.startsWith("size")) continue;
      add(samples, "plain", new Map([[`${label}: with a function and a log row`, value]]));
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
