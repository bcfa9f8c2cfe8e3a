/** `patina replay` as a process: what it serves, what it refuses, how it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBundle } from "../../runtime/replay/bundle.ts";
import { type Folder, patina, temporaryFolder } from "./patina-process.ts";

const main = fileURLToPath(new URL("../../runtime/cli/main.ts", import.meta.url));
const header =
  '{"trace":1,"source":"sim","seed":"1","scenario":"x","options":{},"nodes":[],"schema":[]}\n';
let folder: Folder;

beforeAll(async () => {
  folder = temporaryFolder();
  await ensureBundle();
});

afterAll(() => folder.remove());

describe("patina replay", () => {
  test("serves page and trace until the first signal, and ends with 0", async () => {
    const path = folder.path("run of mine.ndjson.gz");
    writeFileSync(path, gzipSync(header));
    const child = spawn(process.execPath, [main, "replay", path], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    expect(line).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/ui\/\?trace=\/trace\/run%2520of%2520mine\.ndjson\.gz$/,
    );
    const url = new URL(line);
    const page = await fetch(url);
    expect(await page.text()).toContain('<div id="patina"></div>');
    const trace = await fetch(new URL(url.searchParams.get("trace") ?? "", url));
    expect(Buffer.from(await trace.arrayBuffer()).equals(gzipSync(header))).toBe(true);
    child.kill("SIGTERM");
    const [status] = (await once(child, "close")) as [number];
    expect(status).toBe(0);
  });

  test("passes live traces of nodes on, with the token that the page never sees", async () => {
    const asked: (string | undefined)[] = [];
    const node = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(200, { "Content-Type": "application/x-ndjson" }).end(header);
    }).listen(0, "127.0.0.1");
    await once(node, "listening");
    const { port } = node.address() as AddressInfo;
    const child = spawn(
      process.execPath,
      [main, "replay", "--live", `127.0.0.1:${port},http://127.0.0.1:${port}/v1/trace?planes=sync`],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PATINA_TOKEN: "secret" } },
    );
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    expect(line).toMatch(/\/ui\/\?live=\/live\/0,\/live\/1$/);
    for (const path of ["/live/0", "/live/1"])
      expect(await (await fetch(new URL(path, line))).text()).toBe(header);
    expect((await fetch(new URL("/live/2", line))).status).toBe(404);
    expect(asked).toEqual(["/v1/trace Bearer secret", "/v1/trace?planes=sync Bearer secret"]);
    node.close();
    node.closeAllConnections();
    expect((await fetch(new URL("/live/0", line))).status).toBe(502);
    child.kill("SIGTERM");
    await once(child, "close");
  });

  test("refuses what is not there, what is no trace, and paths and ports that cannot be had", async () => {
    const text = folder.path("notes.txt");
    writeFileSync(text, "not a trace\n");
    const empty = folder.path("empty.ndjson");
    writeFileSync(empty, "");
    const good = folder.path("good.ndjson");
    writeFileSync(good, header);
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const cases: [string[], RegExp][] = [
      [
        ["replay", folder.path("none.ndjson")],
        /cannot read .*none\.ndjson: no such file or folder/,
      ],
      [["replay", text], /notes\.txt is no trace: its first line is not the header/],
      [["replay", empty], /empty\.ndjson is no trace: it is empty/],
      [["replay", "--out", folder.path("x.html")], /--out needs a trace/],
      [["replay", good, "--out", folder.path("no/such/x.html")], /--out: cannot write/],
      [
        ["replay", good, "--port", String(port)],
        /cannot listen on 127\.0\.0\.1, port \d+: it is in use/,
      ],
      [["replay", good, "--live", "127.0.0.1:1"], /--live needs no trace/],
      [["replay", "--live", "ftp://x"], /--live ftp:\/\/x: not an address such as/],
      [["replay", good, "--port", "99999"], /--port is a whole number/],
    ];
    for (const [args, message] of cases) {
      const { status, stderr, stdout } = await patina(args);
      expect([status, stdout], args.join(" ")).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
    taken.close();
  });
});
