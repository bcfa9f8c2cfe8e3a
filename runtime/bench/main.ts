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
  cluster: () => import("./cluster.ts"),
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
  try {
    await bench.run(args);
  } catch (error) {
    const why = optionProblem(error);
    if (why === null) throw error;
    process.stderr.write(`bench ${name}: ${why}; npm run bench ${name} -- --help lists all\n`);
    process.exitCode = 2;
  }
}

/** What is wrong with the arguments, in a few words, when that is what the error is about. */
function optionProblem(error: unknown): string | null {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== "string" || !code.startsWith("ERR_PARSE_ARGS")) return null;
  // The rest is about how to write arguments that begin with a dash.
  const first = String(message).split(". ")[0] as string;
  return first.charAt(0).toLowerCase() + first.slice(1);
}
