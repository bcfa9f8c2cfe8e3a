/** `npm run soak -- [--minutes M] [--seed S] [--nodes N]`: random faults on real nodes for as long as asked. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runSoak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now()) },
    nodes: { type: "string", default: "5" },
  },
});
const [minutes, nodes] = [Number(values.minutes), Number(values.nodes)];
if (!(minutes > 0) || !(nodes >= 2)) {
  process.stderr.write("usage: npm run soak -- [--minutes M] [--seed S] [--nodes N]\n");
  process.exit(2);
}
const again = `npm run soak -- --minutes ${minutes} --seed ${values.seed} --nodes ${nodes}`;
process.stdout.write(`${nodes} nodes for ${minutes} min, seed ${values.seed}\n`);
const result = await runSoak({
  seed: values.seed,
  nodes,
  ms: minutes * 60_000,
  dir: mkdtempSync(join(tmpdir(), "patina-soak-")),
  tell: (line) => process.stderr.write(`  ${line}\n`),
});
const faults = Object.entries(result.faults).map(([kind, count]) => `${count} × ${kind}`);
process.stdout.write(
  `${result.acknowledged} writes acknowledged, ${result.refused} refused; ${faults.join(", ")}\n`,
);
if (result.wrong === null) {
  process.stdout.write(
    "✓ Every acknowledged write is on every node, and their states are equal.\n",
  );
} else {
  process.stdout.write(`✗ ${result.wrong}\n  the same faults again: ${again}\n`);
  process.exitCode = 1;
}
