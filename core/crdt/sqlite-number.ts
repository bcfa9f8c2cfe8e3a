/**
 * Text from floating-point numbers and numbers from text, digit for digit as SQLite 3.54 does it
 * (`sqlite3FpDecode`, `sqlite3AtoF`, `sqlite3Atoi64` in util.c): what a TEXT column makes of 0.1,
 * and what a REAL column makes of '1e-7'. SQLite rounds on a 96-bit approximation of powers of
 * ten, so the last digit may differ from JavaScript's; the same approximation is used here, in
 * BigInt. Only values that change their storage class come this way.
 */

const mask64 = (1n << 64n) - 1n;
const mask32 = 0xffff_ffffn;
const maxInt64 = (1n << 63n) - 1n;
/** The largest mantissa to which one more decimal digit can be added in 64 bits. */
const mantissaLimit = ((1n << 64n) - 10n) / 10n;
const firstPower = -348;
const lastPower = 347;

const scratch = new DataView(new ArrayBuffer(8));

/** floor(log2(10^p)). */
function powerTenToTwo(p: number): number {
  return (p * 108853) >> 15;
}

/** floor(log10(2^p)). */
function powerTwoToTen(p: number): number {
  return (p * 78913) >> 18;
}

/** The most significant 96 bits of 10^p, rounded to nearest, as SQLite's tables hold them. */
function scaled(p: number): bigint {
  const shift = 95 - powerTenToTwo(p);
  if (p >= 0) {
    const power = 10n ** BigInt(p);
    return shift >= 0 ? power << BigInt(shift) : roundedShift(power, -shift);
  }
  const divisor = 10n ** BigInt(-p);
  const dividend = 1n << BigInt(shift);
  // 10^-1 alone is cut off in SQLite's table, not rounded.
  return p === -1 ? dividend / divisor : (2n * dividend + divisor) / (2n * divisor);
}

function roundedShift(n: bigint, bits: number): bigint {
  return (n + (1n << BigInt(bits - 1))) >> BigInt(bits);
}

/** 10^0 to 10^26, 64 significant bits each. */
const bases: bigint[] = [];
for (let p = 0; p < 27; p++) bases.push(scaled(p) >> 32n);
/** 10^(27 × (i − 13)), 96 bits; the slot of 10^0 holds 10^−1. */
const scales: bigint[] = [];
for (let i = 0; i < 26; i++) scales.push(scaled(i === 13 ? -1 : 27 * (i - 13)));

/** 10^p as 96 bits, the upper 64 of which SQLite calls the integer part. */
function powerOfTen(p: number): bigint {
  if (p === -1) return scales[13] as bigint;
  if (p >= 0 && p < 27) return (bases[p] as bigint) << 32n;
  const group = Math.floor(p / 27);
  const rest = p - group * 27;
  const scale = scales[group + 13] as bigint;
  if (rest === 0) return scale;
  const base = bases[rest] as bigint;
  const product = (scale >> 32n) * base + (((scale & mask32) * base) >> 32n);
  const high = (product >> 32n) & ((1n << 96n) - 1n);
  // Not normalised: shift one up, and set the bit that came in.
  return high >> 95n === 0n ? (high << 1n) | 1n : high;
}

/** The double nearest to `mantissa` × 10^`power`; `mantissa` is not 0. */
function decimalToDouble(mantissa: bigint, power: number): number {
  if (power < firstPower) return 0;
  if (power > lastPower) return Infinity;
  const bits = mantissa.toString(2).length;
  const lp = powerTenToTwo(power);
  let e = 53 - bits - lp;
  if (e > 1074) {
    if (e >= 1130) return 0;
    e = 1074;
  }
  const s = BigInt(-(e - (64 - bits) + lp + 3));
  const ten = powerOfTen(power);
  let high = ten >> 32n;
  let low = ten & mask32;
  if (low !== 0n) {
    high += 1n;
    low = ~low & mask32;
  }
  const x = mantissa << BigInt(64 - bits);
  const product = x * high;
  let hi = (product >> 64n) & mask64;
  const middle = (product >> 32n) & mask32;
  let sticky = 1n;
  if ((hi & ((1n << s) - 1n)) === 0n) {
    const middle2 = ((x * (low << 32n)) >> 96n) & mask32;
    sticky = ((middle - middle2) & mask32) > 1n ? 1n : 0n;
    if (middle < middle2) hi -= 1n;
  }
  let u = (hi >> s) | sticky;
  if (u >= (1n << 55n) - 2n) {
    u = (u >> 1n) | (u & 1n);
    e -= 1;
  }
  let m = (u + 1n + ((u >> 2n) & 1n)) >> 2n;
  if (e <= -972) return Infinity;
  if ((m & (1n << 52n)) !== 0n) m = (m & ~(1n << 52n)) | (BigInt(1075 - e) << 52n);
  scratch.setBigUint64(0, m & mask64);
  return scratch.getFloat64(0);
}

/** Significant decimal digits of a positive finite number and where the decimal point stands. */
interface Digits {
  text: string;
  /** Digits before the point; may be negative or beyond the end. */
  point: number;
}

/** About 18 digits: `mantissa` × 10^`power` ≈ r. */
function toDecimal(r: number): { mantissa: bigint; power: number } {
  scratch.setFloat64(0, r);
  const bits = scratch.getBigUint64(0);
  let e = Number((bits >> 52n) & 0x7ffn);
  let v = bits & 0xf_ffff_ffff_ffffn;
  if (e === 0) {
    const zeros = 64 - v.toString(2).length;
    v <<= BigInt(zeros);
    e = -1074 - zeros;
  } else {
    v = (v << 11n) | (1n << 63n);
    e -= 1086;
  }
  const p = 17 - powerTwoToTen(e + 63);
  const high = (v * (powerOfTen(p) >> 32n)) >> 64n;
  const h = high >> BigInt(-(e + powerTenToTwo(p) + 2));
  return { mantissa: (h + ((h << 1n) & 2n)) >> 1n, power: -p };
}

/** Rounds to 17 digits, or to fewer when those already read back as `r`. */
function toDigits(r: number): Digits {
  const { mantissa, power } = toDecimal(r);
  const z = mantissa.toString();
  const n = z.length;
  const digits: Digits = { text: z, point: n + power };
  if (n > 17) {
    const round = shorterRounding(z, r, power, digits.point);
    const kept = z.slice(0, round);
    digits.text = kept;
    if (z.charCodeAt(round) >= 0x35) {
      const raised = (BigInt(kept) + 1n).toString();
      if (raised.length > round) digits.point++;
      digits.text = raised;
    }
  }
  digits.text = digits.text.replace(/0+$/, "");
  return digits;
}

/** How many digits of `z` to keep: SQLite tries to lose a tail of nines or zeros. */
function shorterRounding(z: string, r: number, power: number, point: number): number {
  const n = z.length;
  if (z[15] === "9" && z[14] === "9") {
    let j = 14;
    while (j > 0 && z[j - 1] === "9") j--;
    const candidate = j === 0 ? 1n : BigInt(z.slice(0, j)) + 1n;
    if (r === decimalToDouble(candidate, power + n - j)) return j + 1;
  } else if (point >= n || (z[15] === "0" && z[14] === "0" && z[13] === "0")) {
    let j = 13;
    while (z[j - 1] === "0") j--;
    if (r === decimalToDouble(BigInt(z.slice(0, j)), power + n - j)) return j + 1;
  }
  return 17;
}

/** What SQLite's `CAST(r AS TEXT)` gives. @param r not NaN. */
export function realToText(r: number): string {
  if (r === 0) return "0.0";
  if (r === Infinity) return "Inf";
  if (r === -Infinity) return "-Inf";
  const sign = r < 0 ? "-" : "";
  const { text, point } = toDigits(Math.abs(r));
  const exponent = point - 1;
  if (exponent < -4 || exponent > 16) {
    const size = Math.abs(exponent).toString().padStart(2, "0");
    const fraction = text.length > 1 ? text.slice(1) : "0";
    return `${sign}${text[0] ?? "0"}.${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${text}`;
  const whole = text.slice(0, point).padEnd(point, "0");
  return `${sign}${whole}.${text.slice(point) || "0"}`;
}

/** Space, tab, newline, vertical tab, form feed and carriage return, as `sqlite3Isspace`. */
const numberPattern = /^[ \t-\r]*([+-]?)(?:(\d+)(\.\d*)?|(\.\d+))(?:[eE]([+-]?\d+))?[ \t-\r]*$/;
const integerPattern = /^[ \t-\r]*([+-]?)(\d+)[ \t-\r]*$/;

/**
 * The number that `text` looks like to a column of numeric affinity: a bigint for an INTEGER, a
 * number for a REAL; null when it does not look like one and stays text.
 */
export function textToNumber(text: string): bigint | number | null {
  // SQLite reads a C string: what follows a NUL is not seen, except by the integer parser below.
  const nul = text.indexOf("\0");
  const match = numberPattern.exec(nul < 0 ? text : text.slice(0, nul));
  if (match === null) return null;
  const real = parseReal(match);
  const plainInteger = match[2] !== undefined && match[3] === undefined && match[5] === undefined;
  if (plainInteger) {
    if (Math.abs(real) < 2 ** 51) return BigInt(real);
    const integer = parseInteger(text);
    if (integer !== null) return integer;
  }
  return real;
}

function parseReal(match: RegExpExecArray): number {
  const whole = match[2] ?? "";
  const fraction = (match[3] ?? match[4] ?? ".").slice(1);
  let mantissa = 0n;
  let power = 0;
  let i = 0;
  while (i < whole.length) {
    mantissa = mantissa * 10n + BigInt(whole.charCodeAt(i++) - 48);
    if (mantissa >= mantissaLimit && i < whole.length) {
      power = whole.length - i;
      break;
    }
  }
  for (let k = 0; k < fraction.length && mantissa < mantissaLimit; k++) {
    mantissa = mantissa * 10n + BigInt(fraction.charCodeAt(k) - 48);
    power--;
  }
  if (match[5] !== undefined) {
    const exponent = Number(match[5]);
    // SQLite stops counting exponents at 10,000 and beyond; every one of them overflows anyway.
    power += Math.max(-100_000, Math.min(100_000, exponent));
  }
  if (mantissa === 0n) return 0;
  const size = decimalToDouble(mantissa, power);
  return match[1] === "-" ? -size : size;
}

function parseInteger(text: string): bigint | null {
  const match = integerPattern.exec(text);
  if (match === null) return null;
  const size = BigInt(match[2] as string);
  const value = match[1] === "-" ? -size : size;
  return value > maxInt64 || value < -maxInt64 - 1n ? null : value;
}
