/**
 * `npm run bench sign`: what signatures cost. Chunks a second of CPU time for making seals, for
 * checking each by itself (as broadcast brings them one by one), and for checking them in runs (as
 * catching up brings them), where one signature proves what stands before it.
 */
import { generateKeyPairSync } from "node:crypto";
import { parseArgs } from "node:util";
import { actorId } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";
import { formatTable, median } from "../cli/format.ts";
import { SealCheck } from "../security/seal-check.ts";
import { keyIdOf, Signer } from "../security/signing.ts";

const usage = `usage: npm run bench sign -- [--chunks N] [--bytes N] [--reps N]

  --chunks N  chunks that are sealed and checked (default 5000)
  --bytes N   payload of each (default 100)
  --reps N    repetitions of which the median is printed (default 5)
`;

const actor = actorId("a".repeat(32));
const clusterId = 1;
/** Chunks that are checked together; 1: each by itself. */
const runs = [1, 8, 64, 512];

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      chunks: { type: "string", default: "5000" },
      bytes: { type: "string", default: "100" },
      reps: { type: "string", default: "5" },
      help: { type: "boolean", default: false },
    },
  });
  const [count, bytes, reps] = [values.chunks, values.bytes, values.reps].map(Number);
  if (values.help || !((count ?? 0) >= 1000) || !((bytes ?? -1) >= 0) || !((reps ?? 0) >= 1)) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const samples = new Map<string, number[]>();
  for (let rep = 0; rep < (reps as number); rep++) {
    await measure(count as number, bytes as number, (label, us) => {
      samples.set(label, [...(samples.get(label) ?? []), us]);
    });
  }
  const lines = [...samples].map(([label, all]) => {
    const us = median(all);
    return [label, us.toFixed(1), Math.round(1e6 / us).toLocaleString("en-US")];
  });
  const head = [`${bytes} bytes of payload`, "µs of CPU", "a second"];
  process.stdout.write(`${formatTable([head, ...lines], ["left", "right", "right"]).join("\n")}\n`);
}

async function measure(
  count: number,
  bytes: number,
  tell: (label: string, us: number) => void,
): Promise<void> {
  const keys = generateKeyPairSync("ed25519");
  const signer = new Signer(clusterId, keys);
  const bare = Array.from({ length: count }, (_, i): Chunk => {
    const payload = new Uint8Array(bytes).fill(i % 256);
    return { actor, version: i + 1, index: 0, count: 1, hlc: { ms: i, counter: 0 }, payload };
  });
  const begun = process.cpuUsage();
  const chunks = bare.map((chunk) => ({ ...chunk, seal: signer.seal(chunk) }));
  tell("a seal is made", cpuUs(begun) / count);
  const author = { actor, name: "bench", publicKey: keys.publicKey };
  const keyId = keyIdOf(keys.publicKey, actor).toString("hex");
  for (const length of runs) {
    const find = (id: string) => (id === keyId ? author : undefined);
    const check = new SealCheck({ clusterId, find, giveWay: () => Promise.resolve() });
    const from = process.cpuUsage();
    for (let at = 0; at < count; at += length) {
      const bad = (await check.check(chunks.slice(at, at + length))).find((why) => why !== null);
      if (bad !== undefined) throw new Error(`a good seal was turned away: ${bad}`);
    }
    const what = length === 1 ? "checked by itself" : `checked in runs of ${length}`;
    tell(what, cpuUs(from) / count);
  }
}

function cpuUs(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return user + system;
}
