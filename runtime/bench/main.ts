/**
 * `npm run bench NAME`: measures and prints figures; asserts nothing, because machines differ.
 * Each bench is a module of its own, loaded when it is asked for.
 */
interface Bench {
  /** Runs with the arguments that follow the bench's name; prints its figures. */
  run(args: readonly string[]): Promise<void>;
}

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  net: () => import("./net.ts"),
  sign: () => import("./sign.ts"),
  sim: () => import("./sim.ts"),
  store: () => import("./store.ts"),
  swim: () => import("./swim.ts"),
  ui: () => import("./ui.ts"),
};

const [name = "", ...args] = process.argv.slice(2);
const load = benches[name];
if (load === undefined) {
  process.stderr.write(
    `usage: npm run bench NAME, where NAME is one of: ${Object.keys(benches).join(", ")}\n`,
  );
  process.exitCode = 2;
} else {
  const bench = await load();
  await bench.run(args);
}
