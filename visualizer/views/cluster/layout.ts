/** Where nodes stand: on a ring, on the map, or pulled together by what they say to each other. */
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import { geoEqualEarth, type GeoProjection } from "d3-geo";
import type { Loaded } from "../../app/loaded.ts";
import type { Layout } from "../../app/state.ts";
import { Kind } from "../../model/kinds.ts";
import { regionPlaces } from "./world.ts";

/** By node number, in pixels; nodes that are not known stay at NaN. */
export interface Places {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly radius: number;
  /** Names have room beside all nodes. */
  readonly named: boolean;
}

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function nodeRadius(count: number, frame: Frame): number {
  const room = Math.min(frame.width, frame.height);
  return Math.max(2.5, Math.min(20, (room * 0.9) / Math.max(6, count) + 2));
}

export function placeNodes(loaded: Loaded, layout: Layout, frame: Frame): Places {
  const nodes = loaded.trace.nodes.length;
  const places = {
    x: new Float64Array(nodes).fill(Number.NaN),
    y: new Float64Array(nodes).fill(Number.NaN),
    radius: nodeRadius(loaded.lanes.length, frame) * (layout === "map" ? 0.65 : 1),
    named: loaded.lanes.length <= (layout === "ring" ? ringPerimeter(frame) / 38 : maxNamed),
  };
  switch (layout) {
    case "ring":
      placeRing(loaded, frame, places);
      break;
    case "map":
      placeMap(loaded, frame, places);
      break;
    case "force":
      placeForce(loaded, frame, places);
  }
  return places;
}

/** Nodes with names that find room without a ring's order. */
const maxNamed = 60;

function ringPerimeter({ width, height }: Frame): number {
  return (Math.PI * (width + height)) / 2;
}

function placeRing({ lanes }: Loaded, frame: Frame, { x, y, radius }: Places): void {
  const cx = frame.left + frame.width / 2;
  const cy = frame.top + frame.height / 2;
  // A wide frame gets an oval: names find room at the sides.
  const ry = frame.height / 2 - radius - 44;
  const rx = Math.min(frame.width / 2 - radius - 60, ry * 1.5);
  for (const [i, n] of lanes.entries()) {
    const angle = (i / lanes.length) * Math.PI * 2 - Math.PI / 2;
    x[n] = cx + Math.cos(angle) * Math.max(30, rx);
    y[n] = cy + Math.sin(angle) * Math.max(30, ry);
  }
}

export function worldProjection(frame: Frame): GeoProjection {
  return geoEqualEarth().fitExtent(
    [
      [frame.left + 24, frame.top + 30],
      [frame.left + frame.width - 24, frame.top + frame.height - 30],
    ],
    {
      type: "MultiPoint",
      coordinates: [
        [-125, 30],
        [155, 30],
        [-75, -45],
        [0, 68],
      ],
    },
  );
}

/** Nodes of one region stand in a sunflower around it; nodes without a known region in a row below. */
function placeMap(loaded: Loaded, frame: Frame, { x, y, radius }: Places): void {
  const project = worldProjection(frame);
  const inRegion = new Map<string, number>();
  const golden = Math.PI * (3 - Math.sqrt(5));
  let homeless = 0;
  for (const n of loaded.lanes) {
    const region = loaded.trace.nodes[n]?.region ?? "";
    const place = regionPlaces.get(region);
    const at = place === undefined ? null : project([place[0], place[1]]);
    if (at === null) {
      x[n] = frame.left + 20 + ((homeless * (radius * 2 + 6)) % Math.max(40, frame.width - 40));
      y[n] = frame.top + frame.height - radius - 4;
      homeless++;
      continue;
    }
    const i = inRegion.get(region) ?? 0;
    inRegion.set(region, i + 1);
    const out = radius * 1.25 * Math.sqrt(i * 2.2);
    x[n] = at[0] + Math.cos(i * golden) * out;
    y[n] = at[1] + Math.sin(i * golden) * out;
  }
  moveApart(loaded.lanes, { x, y, radius });
}

/** Neighbouring regions give each other room, and stay near their places. */
function moveApart(lanes: readonly number[], { x, y, radius }: Omit<Places, "named">): void {
  const bodies: Body[] = lanes.map((n) => ({ x: x[n] as number, y: y[n] as number }));
  const homes = bodies.map((body) => ({ ...body }));
  forceSimulation(bodies)
    .force("collide", forceCollide(radius * 1.6 + 4))
    .force("x", forceX((_, i) => homes[i]?.x ?? 0).strength(0.12))
    .force("y", forceY((_, i) => homes[i]?.y ?? 0).strength(0.12))
    .stop()
    .tick(120);
  for (const [i, n] of lanes.entries()) {
    x[n] = bodies[i]?.x ?? 0;
    y[n] = bodies[i]?.y ?? 0;
  }
}

interface Body {
  index?: number;
  x?: number;
  y?: number;
}

/** Events counted for the pull between nodes, at most; spread over the run. */
const maxCounted = 200_000;
const ticks = 160;

/** d3-force starts from a fixed spiral and a fixed random stream: the same trace gives the same picture. */
function placeForce(loaded: Loaded, frame: Frame, { x, y, radius }: Places): void {
  const { lanes, laneOf } = loaded;
  const bodies: Body[] = lanes.map(() => ({}));
  const pairs = busiestPairs(loaded);
  const most = pairs[0]?.count ?? 1;
  const links = pairs.map(({ a, b, count }) => ({
    source: laneOf[a] as number,
    target: laneOf[b] as number,
    strength: 0.02 + (0.25 * count) / most,
  }));
  forceSimulation(bodies)
    .force("charge", forceManyBody().strength(-30 * radius))
    .force(
      "link",
      forceLink(links)
        .distance(radius * 7)
        .strength((link) => link.strength),
    )
    .force("collide", forceCollide(radius * 1.7))
    .force("x", forceX(0).strength(0.06))
    .force("y", forceY(0).strength(0.09))
    .stop()
    .tick(lanes.length > 400 ? ticks / 3 : ticks);
  const pad = radius + 30;
  const spanX = extent(bodies.map((body) => body.x ?? 0));
  const spanY = extent(bodies.map((body) => body.y ?? 0));
  const scale = Math.min(
    (frame.width - pad * 2) / Math.max(1, spanX.size),
    (frame.height - pad * 2) / Math.max(1, spanY.size),
  );
  for (const [i, n] of lanes.entries()) {
    x[n] = frame.left + frame.width / 2 + ((bodies[i]?.x ?? 0) - spanX.middle) * scale;
    y[n] = frame.top + frame.height / 2 + ((bodies[i]?.y ?? 0) - spanY.middle) * scale;
  }
}

function extent(values: readonly number[]): { size: number; middle: number } {
  const min = Math.min(...values);
  const max = Math.max(...values);
  return { size: max - min, middle: (min + max) / 2 };
}

/** The pairs that exchanged most messages of the data planes, three a node. */
function busiestPairs({ trace, lanes, laneOf }: Loaded): { a: number; b: number; count: number }[] {
  const counts = new Map<number, number>();
  const stride = Math.max(1, Math.ceil(trace.count / maxCounted));
  const nodes = trace.nodes.length;
  for (let i = 0; i < trace.count; i += stride) {
    if (trace.kind[i] !== Kind.recv) continue;
    const n = trace.node[i] as number;
    const peer = trace.peer[i] as number;
    if ((laneOf[n] as number) < 0 || (laneOf[peer] as number) < 0) continue;
    const plane = trace.labels[trace.label[i] as number]?.plane ?? 0;
    const key = Math.min(n, peer) * nodes + Math.max(n, peer);
    counts.set(key, (counts.get(key) ?? 0) + (plane === 0 ? 1 : 4));
  }
  return [...counts]
    .map(([key, count]) => ({ a: Math.floor(key / nodes), b: key % nodes, count }))
    .sort((p, q) => q.count - p.count || p.a - q.a || p.b - q.b)
    .slice(0, lanes.length * 3);
}
