/**
 * The address of what is on the screen: source, view, time, zoom, selection. It lives behind the
 * `#`, so that no server sees it; `?trace=` and `?live=` before it name a source as well.
 */
import { initialState, type AppState, type Selection, layouts, viewIds, speeds } from "./state.ts";
import type { Source } from "./source.ts";

export interface Link {
  readonly source: Source | null;
  /** A second source to compare with. */
  readonly other: Source | null;
  /** Fields that the link sets; the rest stay as they are. */
  readonly state: Partial<AppState>;
}

/** Microseconds with fractions cut: windows zoomed by hand carry long tails. */
function time(us: number): string {
  return String(Math.round(us * 1000) / 1000);
}

export async function formatLink(
  state: AppState,
  source: Source | null,
  other: Source | null,
): Promise<string> {
  const fields: [string, string][] = [];
  if (source !== null) fields.push(...(await sourceFields(source, "")));
  if (other !== null) fields.push(...(await sourceFields(other, "b-")));
  const put = (key: string, value: string | number | null, usual: string | number | null): void => {
    if (value !== usual && value !== null) fields.push([key, String(value)]);
  };
  put("view", state.view, null);
  put("split", state.split, null);
  fields.push(["t", time(state.t)], ["w", `${time(state.from)}_${time(state.to)}`]);
  put("e", state.event, null);
  put("lane", Math.round(state.scroll * 100) / 100, initialState.scroll);
  put("sel", formatSelection(state.selection), null);
  put("b-sel", formatSelection(state.otherSelection), null);
  put("side", state.side, initialState.side);
  put("eyes", state.observer, initialState.observer);
  put("layout", state.layout, initialState.layout);
  put("tree", state.tree ? 1 : 0, 0);
  put("planes", state.planes, initialState.planes);
  put("speed", state.speed, initialState.speed);
  put("loop", state.loop === null ? null : state.loop.map(time).join("_"), null);
  put("against", state.reference, initialState.reference);
  put("table", state.table, null);
  put("rows", state.onlyDiffering ? "differing" : "all", "differing");
  put("write", state.write, initialState.write);
  put("inspector", state.inspector ? 1 : 0, 1);
  return fields.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
}

/** @param search the part from `?`, @param hash the part from `#`. Fields that make no sense are passed over. */
export async function parseLink(search: string, hash: string): Promise<Link> {
  const query = new URLSearchParams(search);
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const get = (key: string): string | null => fields.get(key) ?? query.get(key);
  return {
    source: await readSource(get, ""),
    other: await readSource(get, "b-"),
    state: readState(get),
  };
}

type Get = (key: string) => string | null;

function readState(get: Get): Partial<AppState> {
  const state: { -readonly [Key in keyof AppState]?: AppState[Key] } = {};
  const view = oneOf(viewIds, get("view"));
  if (view !== null) state.view = view;
  const split = oneOf(viewIds, get("split"));
  if (split !== null) state.split = split;
  const t = number(get("t"));
  if (t !== null) state.t = t;
  const event = number(get("e"));
  if (event !== null && Number.isInteger(event)) state.event = event;
  const window = pair(get("w"));
  if (window !== null) [state.from, state.to] = window;
  const scroll = number(get("lane"));
  if (scroll !== null && scroll >= 0) state.scroll = scroll;
  const selection = parseSelection(get("sel"));
  if (selection !== null) state.selection = selection;
  const otherSelection = parseSelection(get("b-sel"));
  if (otherSelection !== null) state.otherSelection = otherSelection;
  if (get("side") === "b") state.side = "b";
  const observer = number(get("eyes"));
  if (observer !== null && Number.isInteger(observer)) state.observer = observer;
  const layout = oneOf(layouts, get("layout"));
  if (layout !== null) state.layout = layout;
  if (get("tree") === "1") state.tree = true;
  const planes = number(get("planes"));
  if (planes !== null && Number.isInteger(planes) && planes >= 0 && planes <= 7)
    state.planes = planes;
  const speed = speeds.find((one) => String(one) === get("speed"));
  if (speed !== undefined) state.speed = speed;
  const loop = pair(get("loop"));
  if (loop !== null) state.loop = loop;
  const reference = oneOf(["written", "end"] as const, get("against"));
  if (reference !== null) state.reference = reference;
  const table = get("table");
  if (table !== null) state.table = table;
  if (get("rows") === "all") state.onlyDiffering = false;
  const write = number(get("write"));
  if (write !== null && Number.isInteger(write)) state.write = write;
  if (get("inspector") === "0") state.inspector = false;
  return state;
}

function formatSelection(selection: Selection | null): string | null {
  switch (selection?.type) {
    case undefined:
      return null;
    case "event":
      return `event.${selection.event}`;
    case "node":
      return `node.${selection.n}`;
    case "cell":
      return `cell.${selection.row}.${selection.column}.${selection.node}`;
  }
}

function parseSelection(text: string | null): Selection | null {
  const [type, ...rest] = (text ?? "").split(".");
  const [a, b, c] = rest.map((part) => (/^-?\d{1,10}$/.test(part) ? Number(part) : Number.NaN));
  if (a === undefined || Number.isNaN(a) || a < 0) return null;
  if (type === "event") return { type, event: a };
  if (type === "node") return { type, n: a };
  if (type === "cell" && b !== undefined && c !== undefined && b >= -1 && c >= -1)
    return { type, row: a, column: b, node: c };
  return null;
}

async function sourceFields(source: Source, prefix: string): Promise<[string, string][]> {
  switch (source.type) {
    case "file":
      return [[`${prefix}file`, source.name]];
    case "url":
      return [[`${prefix}trace`, source.url]];
    case "live":
      return source.keep === null
        ? [[`${prefix}live`, source.url]]
        : [
            [`${prefix}live`, source.url],
            [`${prefix}keep`, String(source.keep)],
          ];
    case "embedded":
      return [];
    case "run": {
      const fields: [string, string][] =
        typeof source.scenario === "string"
          ? [[`${prefix}run`, source.scenario]]
          : [[`${prefix}scenario`, await pack(JSON.stringify(source.scenario))]];
      fields.push([`${prefix}seed`, source.seed]);
      if (source.nodes !== null) fields.push([`${prefix}nodes`, String(source.nodes)]);
      return fields;
    }
  }
}

async function readSource(get: Get, prefix: string): Promise<Source | null> {
  const url = get(`${prefix}trace`);
  if (url !== null) return { type: "url", url };
  const live = get(`${prefix}live`);
  if (live !== null) {
    const keep = number(get(`${prefix}keep`));
    return { type: "live", url: live, keep: keep !== null && keep >= 1000 ? keep : null };
  }
  const name = get(`${prefix}file`);
  if (name !== null) return { type: "file", name };
  const nodes = number(get(`${prefix}nodes`));
  const run = {
    type: "run",
    seed: get(`${prefix}seed`) ?? "1",
    nodes: nodes !== null && Number.isInteger(nodes) && nodes > 0 ? nodes : null,
  } as const;
  const scenario = get(`${prefix}run`);
  if (scenario !== null) return { ...run, scenario };
  const packed = get(`${prefix}scenario`);
  if (packed === null) return null;
  const unpacked = await unpack(packed);
  return unpacked === null ? null : { ...run, scenario: unpacked };
}

/** Deflated and in the URL-safe base64 alphabet. */
async function pack(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Null for what `pack` never made. */
async function unpack(text: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const value: unknown = JSON.parse(await new Response(stream).text());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function number(text: string | null): number | null {
  if (text === null || text === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function pair(text: string | null): readonly [number, number] | null {
  const [a, b] = (text ?? "").split("_").map((part) => number(part));
  return a !== null && a !== undefined && b !== null && b !== undefined && b > a ? [a, b] : null;
}

function oneOf<T extends string>(list: readonly T[], text: string | null): T | null {
  return list.find((item) => item === text) ?? null;
}
