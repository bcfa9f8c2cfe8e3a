import { Difference, differenceNames } from "../../model/diff.ts";

/** The sign of each difference: a shape beside the colour. */
export const signs: Readonly<Record<(typeof differenceNames)[number], string>> = {
  same: "·",
  missing: "∅",
  differs: "≠",
  extra: "+",
};

export function differenceName(code: number): (typeof differenceNames)[number] {
  return differenceNames[code] ?? "same";
}

/** Nodes shown at most; of more, those that are furthest from the reference. */
export const maxNodes = 48;

export const isDifferent = (code: number): boolean => code !== Difference.same;
