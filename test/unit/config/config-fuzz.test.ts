/** Configuration files with anything in them: taken, or told of in one line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../../runtime/config/config-error.ts";
import { loadConfig } from "../../../runtime/config/load-config.ts";
import { settings } from "../../../runtime/config/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "patina-config-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The example of the documentation, with its tokens. */
const docs = readFileSync(join(import.meta.dirname, "../../../docs/configuration.md"), "utf8");
const example = (/```toml\n([\s\S]*?)```/.exec(docs)?.[1] ?? "").replace(
  "sha256:…",
  `sha256:${"0f".repeat(32)}`,
);

/** @returns the complaint; null: it was taken. */
function complaint(
  file: string | Uint8Array,
  env: NodeJS.ProcessEnv = {},
  set: readonly string[] = [],
): string | null {
  writeFileSync(join(folder, "node.toml"), file);
  try {
    const { config } = loadConfig({ file: "node.toml", set, env, cwd: folder, usualFiles: [] });
    expect(config.db.path).not.toBe("");
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

function expectOneLine(told: string | null): void {
  if (told === null) return;
  expect(told).toMatch(/^[^\n\r]+$/);
  expect(told.length).toBeLessThan(2000);
}

const key = fc.constantFrom(
  ...Object.keys(settings),
  "gossip",
  "api.tokens.name",
  "x",
  "__proto__",
);
const value: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "true",
    "3",
    '"x"',
    "[]",
    "{}",
    "[1, 2]",
    "1979-05-27",
    "nan",
    '"127.0.0.1:1"',
    "-0",
  ),
  fc.string(),
  fc.json(),
);

describe("a configuration file", () => {
  test("of the documentation is taken", () => {
    expect(complaint(example)).toBeNull();
  });

  test("of noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectOneLine(complaint(bytes))),
    );
  });

  test("with lines of its own kind in any order, broken ones among them", () => {
    const line = fc.oneof(
      fc.tuple(key, value).map(([name, text]) => `${name} = ${text}`),
      key.map((name) => `[${name}]`),
      key.map((name) => `[[${name}]]`),
      fc.constantFrom(...example.split("\n")),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        expectOneLine(complaint(lines.join("\n")));
      }),
      { numRuns: 400 },
    );
  });

  test("with bits turned, or cut short", () => {
    const bytes = Buffer.from(example);
    const turned = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), { maxLength: 6 });
    fc.assert(
      fc.property(turned, fc.nat(bytes.length), (bits, length) => {
        const damaged = Buffer.from(bytes);
        for (const [at, bit] of bits) damaged[at] = (damaged[at] as number) ^ (1 << bit);
        expectOneLine(complaint(damaged));
        expectOneLine(complaint(bytes.subarray(0, length)));
      }),
      { numRuns: 300 },
    );
  });
});

test("the environment and the command line with anything in them", () => {
  const name = fc.oneof(
    key.map((dotted) => `PATINA__${dotted.toUpperCase().replaceAll(".", "__")}`),
    fc.string().map((text) => `PATINA__${text}`),
  );
  fc.assert(
    fc.property(
      fc.dictionary(name, value, { maxKeys: 3 }),
      fc.array(
        fc.oneof(
          fc.string(),
          fc.tuple(key, value).map((pair) => pair.join("=")),
        ),
        {
          maxLength: 3,
        },
      ),
      (env, set) => expectOneLine(complaint("", env, set)),
    ),
    { numRuns: 300 },
  );
});
