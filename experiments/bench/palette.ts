/**
 * The colours of the plots. The hues are Okabe and Ito's, which people with any common colour
 * blindness tell apart ("Color Universal Design", 2008); each has a mark of its own as well, so
 * that none rests on colour alone.
 */
export const ink = "#1b2524";
export const soft = "#5b6866";
export const faint = "#e3e1da";
export const paper = "#ffffff";

export const colours = {
  patina: "#0072b2",
  second: "#d55e00",
  third: "#009e73",
  fourth: "#cc79a7",
  fifth: "#e69f00",
  sixth: "#56b4e9",
  /** Theory, bounds, and other systems' published figures. */
  reference: "#6b7472",
} as const;

/** In the order in which they are handed out. */
export const shapes = ["circle", "square", "triangle", "diamond", "cross", "star"] as const;
export type Shape = (typeof shapes)[number];
