/** The log: JSON for machines, lines for people, no secrets in either. */
import { describe, expect, test } from "vitest";
import { startLog } from "../../../runtime/observe/logger.ts";

function logged(format: "json" | "text") {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, node: startLog({ format, level: "info", name: "edge-7", destination }) };
}

describe("the log", () => {
  test("as JSON has time, level by name, node and message", () => {
    const { lines, node } = logged("json");
    node.log.warn({ peer: "10.0.0.1:8787" }, "a member is suspect");
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      node: "edge-7",
      peer: "10.0.0.1:8787",
      msg: "a member is suspect",
    });
  });

  test("as text is one line with what else is known, and the stack of an error below", () => {
    const { lines, node } = logged("text");
    node.log.info({ api: "127.0.0.1:8080", why: "two words", n: 3 }, "ready");
    expect(lines[0]).toMatch(
      /^\S+Z INFO {2}\[edge-7\] ready api=127\.0\.0\.1:8080 why="two words" n=3\n$/,
    );
    node.log.error({ err: new Error("broken") }, "failed");
    expect(lines[1]).toMatch(/ERROR \[edge-7\] failed\nError: broken\n +at /);
  });

  test("shows what its level lets through, and takes another level at any time", () => {
    const { lines, node } = logged("json");
    node.log.debug("unseen");
    node.setLevel("debug");
    node.log.debug("seen");
    node.setLevel("error");
    node.log.info("unseen");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["seen"]);
  });

  test("never holds a token", () => {
    const { lines, node } = logged("json");
    node.log.info(
      { token: "secret", headers: { authorization: "secret" }, api: { token: "secret" } },
      "x",
    );
    expect(lines[0]).not.toContain("secret");
  });
});
