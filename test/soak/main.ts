/**
 * `npm run soak -- [--minutes M] [--seed S] [--nodes N] [--network none|proxies|namespaces] [--pause S]
 * [--write-every MS]`: random faults on real nodes for as long as asked.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { whyNoNamespaces } from "../chaos/namespaces.ts";
import { runSoak, type SoakNetwork } from "./soak.ts";

const usage =
  "usage: npm run soak -- [--minutes M] [--seed S] [--nodes N] [--network none|proxies|namespaces] [--pause SECONDS] [--write-every MS]\n";
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now()) },
    nodes: { type: "string", default: "5" },
    network: { type: "string", default: "proxies" },
    pause: { type: "string", default: "60" },
    "write-every": { type: "string", default: "5" },
  },
});
const [minutes, nodes, pause, writeEvery] = [
  Number(values.minutes),
  Number(values.nodes),
  Number(values.pause),
  Number(values["write-every"]),
];
const { network, seed } = values;
if (!(minutes > 0) || !(nodes >= 2) || !(pause >= 0) || !(writeEvery >= 0) || !isNetwork(network)) {
  process.stderr.write(usage);
  process.exit(2);
}
const why = network === "namespaces" ? whyNoNamespaces() : null;
if (why !== null) {
  process.stderr.write(`no namespaces: ${why}; take --network proxies\n`);
  process.exit(1);
}
const again = `npm run soak -- --minutes ${minutes} --seed ${seed} --nodes ${nodes} --network ${network} --pause ${pause} --write-every ${writeEvery}`;
process.stdout.write(`${nodes} nodes for ${minutes} min, network ${network}, seed ${seed}\n`);
const result = await runSoak({
  seed,
  nodes,
  ms: minutes * 60_000,
  dir: mkdtempSync(join(tmpdir(), "patina-soak-")),
  network,
  writePauseMs: writeEvery,
  ...(pause === 0 ? {} : { longPauseMs: pause * 1000 }),
  tell: (line) => process.stderr.write(`  ${line}\n`),
});
const faults = Object.entries(result.faults).map(([kind, count]) => `${count} × ${kind}`);
process.stdout.write(
  `${result.acknowledged} writes acknowledged, ${result.retried} of them at a second try, ${result.refused} refused; ${faults.join(", ")}\n`,
);
if (result.wrong === null) {
  process.stdout.write(
    "✓ Every acknowledged write is on every node, their states are equal, and every row is sound.\n",
  );
} else {
  process.stdout.write(`✗ ${result.wrong}\n  the same faults again: ${again}\n`);
  process.exitCode = 1;
}

function isNetwork(text: string): text is SoakNetwork {
  return text === "none" || text === "proxies" || text === "namespaces";
}
