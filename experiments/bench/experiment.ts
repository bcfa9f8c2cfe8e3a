/**
 * What an experiment is: a question, a list of cells (one setting of its parameters with one seed
 * each), what is measured in a cell, and how the measurements of all cells are summed up, judged
 * and drawn. A cell is pure: its row depends on the cell alone, never on the machine, the order of
 * the cells, or who runs them (but for columns named in `measured`).
 */
export type Scalar = number | string | boolean | null;
/** One line of a table: flat, so that it is a line of CSV too. */
export type Flat = Readonly<Record<string, Scalar>>;

/** `quick`: smaller and with fewer seeds, for tests; its figures are not the published ones. */
export type Size = "full" | "quick";

export interface Claim {
  /** A sentence with the figures in it. */
  readonly text: string;
  readonly holds: boolean;
}

export interface Experiment<
  Cell extends Flat = Flat,
  Row extends Flat = Flat,
  Summary extends object = object,
> {
  /** The name of its folder, such as `01-failure-detection`. */
  readonly name: string;
  readonly title: string;
  /** One sentence for lists. */
  readonly question: string;
  /** Columns of a row that clocks and machines decide, not the seed. With any, cells run one after another unless told otherwise. */
  readonly measured: readonly string[];
  /** In the order in which results list them; long ones first keeps all threads busy to the end. */
  cells(size: Size, seed: string): readonly Cell[];
  /** How long a cell takes beside the others, for the time left; 1 when left out. */
  weight?(cell: Cell): number;
  /** May wait for processes of its own; what it computes itself it computes in one go. */
  runCell(cell: Cell): Row | Promise<Row>;
  summarise(rows: readonly (Cell & Row)[]): Summary;
  /** What can be judged at this size. */
  claims(summary: Summary, size: Size): readonly Claim[];
  /** One SVG document. */
  plot(summary: Summary): string;
  /** What fills the gaps of the page's template, by name. */
  values(summary: Summary): Readonly<Record<string, string>>;
}

/**
 * An experiment as those see it who handle all of them alike. Cells come out of `cells` and go
 * into `runCell`, summaries out of `summarise` into the rest, and nowhere else.
 */
export function experiment<Cell extends Flat, Row extends Flat, Summary extends object>(
  definition: Experiment<Cell, Row, Summary>,
): Experiment {
  return definition as unknown as Experiment;
}

/** The seed of the n-th repetition, from 1. */
export function seedOf(seed: string, n: number): string {
  return `${seed}/${n}`;
}

/** Each of `parameters` with each of so many seeds. */
export function withSeeds<Parameters extends Flat>(
  parameters: readonly Parameters[],
  seed: string,
  seeds: (parameters: Parameters) => number,
): (Parameters & { readonly seed: string })[] {
  return parameters.flatMap((each) =>
    Array.from({ length: seeds(each) }, (_, i) => ({ ...each, seed: seedOf(seed, i + 1) })),
  );
}
