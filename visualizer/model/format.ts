/** Numbers, times and values as people read them. */

/** A moment of the run, to the microsecond only where that matters: "12.345 s", "1:02.345". */
export function formatTime(us: number, resolutionUs = 1000): string {
  const negative = us < 0 ? "−" : "";
  const total = Math.abs(us);
  const minutes = Math.floor(total / 60_000_000);
  const seconds = (total - minutes * 60_000_000) / 1_000_000;
  const digits = resolutionUs >= 1_000_000 ? 0 : resolutionUs >= 1000 ? 3 : 6;
  if (minutes === 0) return `${negative}${seconds.toFixed(digits)} s`;
  const text = seconds.toFixed(digits);
  return `${negative}${minutes}:${text.padStart(digits === 0 ? 2 : digits + 3, "0")}`;
}

/** A length of time with a fitting unit and three digits: "412 ms", "1.25 s", "3 min 5 s". */
export function formatDuration(us: number): string {
  const total = Math.abs(us);
  if (total < 1000) return `${Math.round(total)} µs`;
  if (total < 1_000_000) return `${digits(total / 1000)} ms`;
  if (total < 60_000_000) return `${digits(total / 1_000_000)} s`;
  const units: [string, number][] = [
    ["d", 86_400_000_000],
    ["h", 3_600_000_000],
    ["min", 60_000_000],
    ["s", 1_000_000],
  ];
  const first = units.findIndex(([, size]) => total >= size);
  const [name, size] = units[first] as [string, number];
  const whole = Math.floor(total / size);
  const [nextName, nextSize] = units[first + 1] ?? ["", 1];
  const rest = Math.floor((total - whole * size) / nextSize);
  return rest === 0 || nextName === ""
    ? `${whole} ${name}`
    : `${whole} ${name} ${rest} ${nextName}`;
}

function digits(x: number): string {
  return x >= 100 ? x.toFixed(0) : trimmed(x.toFixed(x >= 10 ? 1 : 2));
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** "12,345". */
export function formatCount(n: number): string {
  const sign = n < 0 ? "−" : "";
  return sign + String(Math.abs(Math.round(n))).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1.2 k", "3.4 M": for axes and tight places. */
export function formatShort(n: number): string {
  if (n < 1000) return trimmed(n >= 100 || Number.isInteger(n) ? n.toFixed(0) : n.toFixed(1));
  if (n < 1e6) return `${digits(n / 1e3)}k`;
  if (n < 1e9) return `${digits(n / 1e6)}M`;
  return `${digits(n / 1e9)}G`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1e6) return `${digits(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${digits(bytes / 1e6)} MB`;
  return `${digits(bytes / 1e9)} GB`;
}

/** At most this many characters of a value are shown at once. */
const maxValueCharacters = 200;

/** A value as SQL would write it, cut where it is long. Tagged values of the trace format too. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return cut(`'${value.replaceAll("'", "''")}'`);
  if (value instanceof Uint8Array) return cut(`x'${Array.from(value, hexByte).join("")}'`);
  return cut(formatTagged(value as Readonly<Record<string, unknown>>));
}

function formatTagged(tagged: Readonly<Record<string, unknown>>): string {
  const [tag, content] = Object.entries(tagged)[0] ?? ["", ""];
  switch (tag) {
    case "blob":
      return `x'${String(content)}'`;
    case "int":
      return String(content);
    case "real":
      return formatReal(content);
    case "add":
      return signed(formatValue(content));
    default:
      return JSON.stringify(tagged);
  }
}

/** What is added, with its sign. */
export function signed(text: string): string {
  return text.startsWith("-") ? text : `+${text}`;
}

function formatReal(content: unknown): string {
  if (content === "inf" || content === Infinity) return "∞";
  if (content === "-inf" || content === -Infinity) return "−∞";
  return Number.isInteger(content) ? `${String(content)}.0` : String(content);
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function cut(text: string): string {
  const { length } = text;
  return length <= maxValueCharacters ? text : `${text.slice(0, maxValueCharacters - 1)}…`;
}

/** A stamp as the trace writes it, split for reading: milliseconds since 1970 and counter. */
export function formatStamp(ms: number, counter: number): string {
  return `${ms.toString(16).padStart(12, "0")}.${counter.toString(16).padStart(4, "0")}`;
}
