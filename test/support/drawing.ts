// Hands: digits and shapes as people draw them, by pointer events.

import type { Locator, Page } from "playwright";

type Point = readonly [x: number, y: number];
/** Points that the pen passes, in a square of side 1. */
type Stroke = readonly Point[];

export interface Figure {
  readonly strokes: readonly Stroke[];
  /** Of the square on the pad: its upper left corner and its sides, in the pad's. */
  readonly at: Point;
  readonly size: Point;
  /** In degrees, clockwise. */
  readonly turned: number;
}

/** None in the middle, none quite upright, none of the same size. */
export const DIGITS: readonly Figure[] = [
  {
    strokes: strokes("55,6 28,16 13,46 20,80 48,96 78,82 89,50 77,18 50,6"),
    at: [0.3, 0.12],
    size: [0.46, 0.58],
    turned: 5,
  },
  { strokes: strokes("60,4 56,35 50,66 45,97"), at: [0.12, 0.2], size: [0.4, 0.62], turned: 3 },
  {
    strokes: strokes("17,27 36,8 64,7 79,29 62,54 38,77 16,95", "16,95 50,90 90,93"),
    at: [0.35, 0.28],
    size: [0.5, 0.56],
    turned: -3,
  },
  {
    strokes: strokes("20,14 48,4 76,20 66,40 42,47", "42,47 74,56 82,78 54,96 17,87"),
    at: [0.16, 0.14],
    size: [0.48, 0.64],
    turned: 2,
  },
  {
    strokes: strokes("30,5 23,30 14,56 50,57 92,52", "70,10 67,52 62,97"),
    at: [0.3, 0.2],
    size: [0.5, 0.6],
    turned: -4,
  },
  {
    strokes: strokes("31,8 28,27 25,46 52,40 78,53 79,79 52,96 17,87", "31,8 56,9 87,5"),
    at: [0.2, 0.26],
    size: [0.5, 0.6],
    turned: 3,
  },
  {
    strokes: strokes("68,4 43,24 26,54 25,81 48,97 72,85 73,65 51,56 29,70"),
    at: [0.34, 0.14],
    size: [0.5, 0.64],
    turned: -2,
  },
  { strokes: strokes("14,10 46,11 86,7", "86,7 67,40 52,70 44,98"), at: [0.2, 0.2], size: [0.5, 0.58], turned: 4 },
  {
    strokes: strokes("73,19 48,5 26,20 40,42 68,62 72,85 46,97 23,82 38,58 66,38 74,21"),
    at: [0.28, 0.1],
    size: [0.5, 0.66],
    turned: 3,
  },
  {
    strokes: strokes("75,25 50,6 25,24 35,48 62,46 76,24 75,60 66,97"),
    at: [0.18, 0.22],
    size: [0.52, 0.6],
    turned: 2,
  },
];

/** From points in hundredths of the side. */
function strokes(...paths: readonly string[]): Stroke[] {
  return paths.map((path) =>
    path.split(" ").map((point) => point.split(",").map((part) => Number(part) / 100) as unknown as Point),
  );
}

/** The `i`-th of many circles, each a little different. */
export function circle(i: number): Figure {
  const points = Array.from({ length: 13 }, (_, p): Point => {
    const angle = (p / 12) * 2 * Math.PI - 1.4 + 0.2 * i;
    return [0.5 + 0.46 * Math.cos(angle), 0.5 + 0.45 * Math.sin(angle)];
  });
  return { strokes: [points], ...placed(i) };
}

/** The `i`-th of many crosses. */
export function cross(i: number): Figure {
  return { strokes: strokes("8,6 52,49 93,94", "92,8 48,52 7,91"), ...placed(i) };
}

function placed(i: number): Omit<Figure, "strokes"> {
  const side = 0.42 + 0.05 * (i % 4);
  return { at: [0.1 + 0.08 * (i % 5), 0.32 - 0.05 * (i % 3)], size: [side, side * 1.06], turned: 5 * ((i % 5) - 2) };
}

/** Draws a figure on a pad, as a pointer moves: in small uneven steps, with a slight tremble. */
export async function drawFigure(page: Page, pad: Locator, { strokes, at, size, turned }: Figure): Promise<void> {
  await pad.scrollIntoViewIfNeeded();
  const box = (await pad.boundingBox())!;
  const turn = (turned * Math.PI) / 180;
  const place = ([x, y]: Point, i: number): Point => {
    const [dx, dy] = [(x - 0.5) * size[0] + 0.004 * Math.sin(5 * i), (y - 0.5) * size[1] + 0.004 * Math.cos(7 * i)];
    const across = at[0] + size[0] / 2 + dx * Math.cos(turn) - dy * Math.sin(turn);
    const down = at[1] + size[1] / 2 + dx * Math.sin(turn) + dy * Math.cos(turn);
    return [box.x + box.width * across, box.y + box.height * down];
  };
  for (const stroke of strokes) {
    const [first, ...rest] = smooth(stroke).map(place);
    await page.mouse.move(...(first as [number, number]));
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...(point as [number, number]));
    await page.mouse.up();
  }
}

const BETWEEN = 4;

/** Through all points, round as a hand is: Catmull and Rom's spline. */
function smooth(points: Stroke): Point[] {
  const out: Point[] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    const [before, from, to, after] = [
      points[i - 1] ?? points[i]!,
      points[i]!,
      points[i + 1]!,
      points[i + 2] ?? points[i + 1]!,
    ];
    for (let step = 0; step < BETWEEN; step++) out.push(along(step / BETWEEN, before, from, to, after));
  }
  return [...out, points.at(-1)!];
}

function along(t: number, a: Point, b: Point, c: Point, d: Point): Point {
  const axis = (k: 0 | 1) =>
    0.5 *
    (2 * b[k] +
      (c[k] - a[k]) * t +
      (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t ** 2 +
      (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t ** 3);
  return [axis(0), axis(1)];
}
