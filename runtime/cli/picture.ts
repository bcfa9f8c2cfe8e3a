/** Small pictures in text: sparklines and strips of shaded blocks, one character a slot of time. */

const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const shades = ["█", "▓", "▒", "░"] as const;

/** One bar a value, from nothing to `most`; zero is a blank, anything above it shows. */
export function sparkline(values: readonly number[], most = Math.max(...values, 0)): string {
  return values
    .map((value) =>
      value <= 0 || most <= 0 ? " " : (bars[level(value / most, bars.length)] ?? "█"),
    )
    .join("");
}

/** So small a part of `most` is what is just on its way, not what is lacking. */
const onItsWay = 0.015;

/** A full block for (almost) nothing missing, then lighter ones up to `most` missing. `undefined` (not running) is a dot. */
export function shadeMissing(missing: number | undefined, most: number): string {
  if (missing === undefined) return "·";
  if (most <= 0 || missing <= most * onItsWay) return shades[0];
  return shades[1 + level(missing / most, shades.length - 1)] ?? "░";
}

function level(part: number, levels: number): number {
  return Math.min(levels - 1, Math.max(0, Math.ceil(part * levels) - 1));
}

/**
 * A scale of time below a strip of `columns` slots over `totalMs`: a mark and its label at each of
 * `marks`, those left out that would run into the one before.
 */
export function timeScale(
  totalMs: number,
  columns: number,
  marks: readonly { readonly atMs: number; readonly label: string }[],
): string {
  let line = "";
  for (const mark of marks.toSorted((a, b) => a.atMs - b.atMs)) {
    const column = Math.min(columns - 1, Math.floor((mark.atMs / totalMs) * columns));
    if (line !== "" && column < line.length + 1) continue;
    line = `${line.padEnd(column)}╵${mark.label}`;
  }
  return line;
}
