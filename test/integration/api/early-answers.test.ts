/** Errors over HTTP/2 that are answered while the request's body is still on its way. */
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { json, jsonType, type Served, server } from "./served.ts";

const [headers, reset] = [1, 3];

/** Kinds of the frames that the server sends on streams, in their order (RFC 9113, section 4.1). */
class Frames {
  readonly kinds: number[] = [];
  #rest = Buffer.alloc(0);

  add(chunk: Buffer): void {
    let rest = Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      if (rest.readUInt32BE(5) !== 0) this.kinds.push(rest.readUInt8(3));
      rest = rest.subarray(9 + rest.readUIntBE(0, 3));
    }
    this.#rest = rest;
  }
}

/** Between a client and the API: tells which frames the API sends. */
async function tapped({ address }: Served): Promise<{ readonly url: string; frames: Frames }> {
  const frames = new Frames();
  const [host, port] = address.split(":") as [string, string];
  const tap = createServer((client) => {
    const api = connect(Number(port), host);
    api.on("data", (chunk: Buffer) => frames.add(chunk));
    api.pipe(client).pipe(api);
    for (const [one, other] of [
      [api, client],
      [client, api],
    ] as const) {
      one.on("error", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    tap.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => void tap.close());
  const bound = tap.address() as { readonly port: number };
  return { url: `http://127.0.0.1:${bound.port}`, frames };
}

describe("over HTTP/2", () => {
  const start = server({ bodyLimitBytes: 100_000 });
  const length = 300_000;

  test.each([
    ["a body that is known to be too long", { "content-length": String(length) }, 413],
    ["a body that turns out too long", {}, 413],
    ["a body of another type", { "content-type": "text/plain" }, 415],
  ])("%s is answered, and the stream ends when the client has sent it", async (_, more, status) => {
    const { url, frames } = await tapped(await start());
    const session = connectHttp2(url);
    onTestFinished(() => session.close());
    const stream = session.request({
      ":method": "POST",
      ":path": "/v1/transactions",
      ...jsonType,
      ...more,
    });
    const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
      let [told, text] = [0, ""];
      stream.on("response", (fields) => {
        told = fields[":status"] ?? 0;
      });
      stream.on("data", (part: Buffer) => {
        text += part.toString();
      });
      stream.on("end", () => resolve({ status: told, text }));
      stream.on("error", reject);
    });
    stream.write(Buffer.alloc(length - 1, "x"));
    const { status: told, text } = await answer;
    expect([told, json({ status: told, headers: {}, text })["code"]]).toEqual([
      status,
      status === 413 ? "body_too_large" : "unsupported_media_type",
    ]);
    const closed = new Promise<number>((resolve) => {
      stream.on("close", () => resolve(stream.rstCode));
    });
    stream.end("x");
    expect(await closed).toBe(0);
    expect(frames.kinds).toContain(headers);
    expect(frames.kinds).not.toContain(reset);
  });

  test("a client that goes on without end is cut off", async () => {
    const { url, frames } = await tapped(await start());
    const session = connectHttp2(url);
    onTestFinished(() => session.close());
    const stream = session.request({ ":method": "POST", ":path": "/v1/queries", ...jsonType });
    stream.on("error", () => undefined);
    stream.resume();
    const piece = Buffer.alloc(16_384, "x");
    const more = (): void => {
      while (!stream.destroyed && stream.write(piece));
    };
    stream.on("drain", more);
    more();
    await new Promise<void>((resolve) => {
      stream.on("close", resolve);
    });
    expect(frames.kinds).toContain(reset);
  });
});
