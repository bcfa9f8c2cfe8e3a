/**
 * A world coarse enough to be drawn as dots: the continents as a few dozen corners each, placed by
 * hand, and where the simulator's regions lie. Longitude, latitude, in degrees.
 */

type Point = readonly [longitude: number, latitude: number];
type Outline = readonly Point[];

/** Corners as "longitude,latitude" in degrees. */
const outlines: readonly Outline[] = [
  // North America
  `-166,66 -156,71 -128,70 -110,73 -95,72 -82,73 -78,70 -64,66 -64,60 -78,62 -80,52 -94,58
    -94,61 -84,66 -78,58 -70,61 -62,57 -56,52 -66,49 -60,46 -70,43 -74,40 -76,35 -81,31
    -80,25 -83,30 -90,30 -97,26 -97,19 -91,18 -87,21 -88,16 -83,15 -83,10 -79,9 -85,11
    -94,16 -105,20 -112,29 -110,23 -117,33 -124,40 -124,48 -134,58 -150,60 -162,55 -158,59`,
  // Greenland
  "-72,78 -60,82 -30,83 -20,74 -42,60 -53,66 -56,75",
  // South America
  `-79,9 -72,12 -62,10 -51,4 -44,-2 -35,-6 -39,-16 -48,-26 -57,-36 -65,-42 -68,-54 -75,-50
    -73,-38 -70,-18 -81,-5 -78,2`,
  // Africa
  `-6,35 10,37 20,31 32,31 37,21 43,12 51,12 40,-4 40,-15 33,-26 27,-34 18,-34 12,-17 9,0
    8,4 -8,4 -17,14 -16,22 -10,30`,
  // Madagascar
  "49,-12 50,-16 47,-25 44,-22 45,-16",
  // Eurasia
  `-9,37 -2,37 3,43 9,44 16,38 13,45 19,41 23,37 27,41 36,37 35,32 43,13 52,16 59,22 51,25
    48,30 57,27 67,25 73,18 77,8 80,14 88,22 94,16 98,8 104,1 100,13 105,9 109,13 107,20
    114,22 121,29 118,39 125,39 127,35 129,37 128,42 140,50 137,54 155,59 157,51 163,58
    178,64 178,69 160,70 140,73 112,76 100,77 80,73 68,69 44,67 33,69 25,71 14,68 5,61 7,58
    12,60 18,63 24,66 22,61 30,60 21,55 11,54 8,57 8,54 -2,49 -4,48 -1,44 -9,43`,
  // Great Britain, Ireland, Iceland
  "-5,50 1,51 0,54 -3,59 -6,58 -4,54",
  "-10,52 -6,52 -6,55 -9,54",
  "-24,64 -14,64 -15,66 -22,66",
  // Japan, Taiwan, Philippines
  "130,31 136,34 141,36 142,44 145,44 140,42 137,37 131,34",
  "120,23 122,25 121,22",
  "120,18 122,17 126,7 122,7 120,14",
  // Sumatra and Java, Borneo, Sulawesi, New Guinea
  "95,5 104,-2 106,-6 114,-8 106,-8 100,-2",
  "109,1 117,7 119,4 116,-4 110,-3",
  "119,-5 121,1 125,1 121,-1 123,-5",
  "131,-1 141,-3 150,-10 143,-9 138,-8",
  // Australia, Tasmania, New Zealand
  `114,-22 122,-18 130,-12 136,-12 140,-17 142,-11 146,-19 153,-27 150,-37 144,-38 138,-33
    131,-31 118,-35 115,-33`,
  "145,-41 148,-41 147,-44",
  "173,-35 178,-38 175,-41 171,-44 167,-46 172,-41",
  // Sri Lanka, Cuba, Hispaniola
  "80,9 82,7 80,6",
  "-84,22 -78,22 -75,20 -82,22",
  "-73,20 -69,19 -72,18",
].map(parseOutline);

/** By airport code, as the simulator names regions. */
export const regionPlaces: ReadonlyMap<string, Point> = new Map(
  `iad -77.5,38.9; fra 8.6,50; sin 104,1.4; gru -46.5,-23.4; syd 151.2,-33.9;
    lax -118.4,33.9; lhr -0.5,51.5; nrt 140.4,35.8; jnb 28.2,-26.1; bom 72.9,19.1;
    ord -87.9,42; ams 4.8,52.3; hkg 113.9,22.3; scl -70.8,-33.4; sea -122.3,47.4; cdg 2.5,49;
    dfw -97,32.9; mad -3.6,40.5; arn 17.9,59.7; mia -80.3,25.8; waw 21,52.2; yyz -79.6,43.7;
    sjc -121.9,37.4; del 77.1,28.6; bog -74.1,4.7; ewr -74.2,40.7; icn 126.5,37.5;
    den -104.7,39.9; mxp 8.7,45.6; eze -58.5,-34.8; atl -84.4,33.6; dxb 55.4,25.3;
    qro -100.2,20.6; otp 26.1,44.6; yul -73.7,45.5; gig -43.2,-22.8; phx -112,33.4;
    vie 16.6,48.1; bos -71,42.4; gdl -103.3,20.5`
    .split(";")
    .map((entry): [string, Point] => {
      const [code = "", point = ""] = entry.trim().split(" ");
      return [code, parsePoint(point)];
    }),
);

function parseOutline(text: string): Outline {
  return text.trim().split(/\s+/).map(parsePoint);
}

function parsePoint(text: string): Point {
  const [longitude, latitude] = text.split(",").map(Number);
  return [longitude ?? 0, latitude ?? 0];
}

/** Land, as points of a grid of `step` degrees. */
export function landDots(step: number): Point[] {
  const dots: Point[] = [];
  for (let latitude = -56; latitude <= 80; latitude += step)
    for (let longitude = -178; longitude < 180; longitude += step)
      if (outlines.some((outline) => inside(outline, longitude, latitude)))
        dots.push([longitude, latitude]);
  return dots;
}

/** Even-odd rule, on the plane of longitude and latitude. */
function inside(outline: Outline, x: number, y: number): boolean {
  let odd = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [xi, yi] = outline[i] as readonly [number, number];
    const [xj, yj] = outline[j] as readonly [number, number];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}
