/** The visualizer in a real browser. One browser for all: the cases are told in files of their own. */
import { afterAll, beforeAll } from "vitest";
import { startWorld, type World } from "./browser.ts";
import { dataCases } from "./cases/data.ts";
import { everyoneCases } from "./cases/everyone.ts";
import { exportCases } from "./cases/exports.ts";
import { forkCases } from "./cases/fork.ts";
import { linkCases } from "./cases/links.ts";
import { liveCases } from "./cases/live.ts";
import { nodeCases } from "./cases/node.ts";
import { serverCases } from "./cases/server.ts";
import { sourceCases } from "./cases/sources.ts";
import { storyCases } from "./cases/story.ts";
import { timeCases } from "./cases/time.ts";
import { viewCases } from "./cases/views.ts";

let world: World | undefined;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(async () => {
  await world?.close();
});

const here = (): World => {
  if (world === undefined) throw new Error("the browser is started before any case");
  return world;
};

for (const cases of [
  sourceCases,
  liveCases,
  nodeCases,
  viewCases,
  timeCases,
  dataCases,
  forkCases,
  linkCases,
  exportCases,
  everyoneCases,
  storyCases,
  serverCases,
])
  cases(here);
