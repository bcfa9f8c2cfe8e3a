/**
 * Colours of the marks, light and dark. The hues are Okabe and Ito's, which people with any common
 * colour blindness tell apart ("Color Universal Design", 2008); every meaning has a shape or a
 * dash as well, so that none rests on colour alone.
 */
import type { PlaneName, StateName } from "../model/kinds.ts";

export interface Palette {
  readonly dark: boolean;
  readonly background: string;
  readonly panel: string;
  readonly lane: string;
  readonly ink: string;
  readonly soft: string;
  readonly faint: string;
  readonly accent: string;
  readonly copper: string;
  readonly fault: string;
  readonly selection: string;
  readonly planes: Readonly<Record<PlaneName | "other", string>>;
  readonly states: Readonly<Record<StateName, string>>;
  readonly commit: string;
  readonly drop: string;
  readonly missing: string;
  readonly differs: string;
  readonly extra: string;
  /** Distinct hues for groups and for lines of single nodes. */
  readonly series: readonly string[];
}

export const lightPalette: Palette = {
  dark: false,
  background: "#f7f5f0",
  panel: "#ffffff",
  lane: "#eceae3",
  ink: "#1a2422",
  soft: "#5a6764",
  faint: "#d5d2c8",
  accent: "#12705f",
  copper: "#a4501f",
  fault: "#b3541e",
  selection: "#12705f",
  planes: { swim: "#8a94a0", gossip: "#0072b2", sync: "#d55e00", other: "#6b6b6b" },
  states: {
    unknown: "#dedbd2",
    alive: "#00875f",
    suspect: "#d98e00",
    down: "#b3261e",
    left: "#7d8885",
  },
  commit: "#7b3fa0",
  drop: "#b3261e",
  missing: "#8a94a0",
  differs: "#d98e00",
  extra: "#a5468a",
  series: ["#0072b2", "#d55e00", "#00875f", "#a5468a", "#b8860b", "#3f8fc4", "#6b6b6b", "#7b3fa0"],
};

export const darkPalette: Palette = {
  dark: true,
  background: "#0e1514",
  panel: "#151e1d",
  lane: "#1d2827",
  ink: "#e8efec",
  soft: "#9db0ab",
  faint: "#2d3a38",
  accent: "#54c7b2",
  copper: "#e3935f",
  fault: "#e3935f",
  selection: "#54c7b2",
  planes: { swim: "#73808b", gossip: "#56b4e9", sync: "#f0a13a", other: "#9a9a9a" },
  states: {
    unknown: "#2a3533",
    alive: "#2bbd8e",
    suspect: "#f0b429",
    down: "#ff6b5e",
    left: "#82908c",
  },
  commit: "#c99cf0",
  drop: "#ff6b5e",
  missing: "#82908c",
  differs: "#f0b429",
  extra: "#e58ac6",
  series: ["#56b4e9", "#f0a13a", "#2bbd8e", "#e58ac6", "#e8d04c", "#8ec9f0", "#a8a8a8", "#c99cf0"],
};

/** Dashes by plane: swim dotted, gossip whole, sync dashed. */
export const planeDash: Readonly<Record<PlaneName | "other", readonly number[]>> = {
  swim: [1.5, 3],
  gossip: [],
  sync: [6, 3],
  other: [3, 3],
};

export const uiFont = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
export const monoFont = "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace";

export function font(px: number, weight: 400 | 600 = 400): string {
  return `${weight === 400 ? "" : `${weight} `}${px}px ${uiFont}`;
}
