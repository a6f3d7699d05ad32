import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findMnist } from "../../../cli/mnist.ts";
import { asMnist, type Ink } from "../../../demo/ui/as-mnist.ts";

type Rectangle = readonly [left: number, top: number, width: number, height: number];

/** White rectangles on a black square. */
function drawn(size: number, ...rectangles: Rectangle[]): Ink {
  const data = new Uint8ClampedArray(4 * size * size).map((_, i) => (i % 4 === 3 ? 255 : 0));
  for (const [left, top, width, height] of rectangles) {
    for (let y = top; y < top + height; y++) data.fill(255, 4 * (y * size + left), 4 * (y * size + left + width));
  }
  return { data, width: size, height: size };
}

function inkOf(digit: Float32Array) {
  let [mass, down, right] = [0, 0, 0];
  const rows = new Set<number>();
  const columns = new Set<number>();
  for (const [i, value] of digit.entries()) {
    if (value === 0) continue;
    const [row, column] = [Math.floor(i / 28), i % 28];
    rows.add(row);
    columns.add(column);
    mass += value;
    down += value * (row + 0.5);
    right += value * (column + 0.5);
  }
  return { mass, centre: [down / mass, right / mass], rows: rows.size, columns: columns.size, top: Math.min(...rows) };
}

describe("a drawing as MNIST's digits are", () => {
  it.each<[string, Rectangle[]]>([
    ["upright", [[100, 30, 23, 200]]],
    ["lying", [[10, 200, 240, 30]]],
    [
      "seven-like, in a corner",
      [
        [0, 0, 90, 20],
        [70, 20, 20, 100],
      ],
    ],
    ["small", [[200, 200, 12, 25]]],
  ])("has its longer side at 20 cells and its centre of mass in the middle cell: %s", (_, rectangles) => {
    const { centre, rows, columns } = inkOf(asMnist(drawn(280, ...rectangles)));
    expect(Math.max(rows, columns)).toBe(20);
    expect(centre.map(Math.floor)).toEqual([14, 14]);
  });

  it("keeps its aspect", () => {
    const { rows, columns, mass } = inkOf(asMnist(drawn(280, [50, 40, 50, 200])));
    expect([rows, columns]).toEqual([20, 5]);
    expect(mass).toBeCloseTo(100, 3);
  });

  it("keeps the ink of lines thinner than a cell", () => {
    const { mass, rows, columns } = inkOf(asMnist(drawn(280, [140, 40, 3, 200])));
    expect([rows, columns]).toEqual([20, 1]);
    expect(mass).toBeCloseTo(20 * 0.3, 4);
  });

  it("keeps the ink of drawings that meet no border of a cell", () => {
    const side = 173;
    const { mass } = inkOf(asMnist(drawn(280, [7, 11, 31, side], [38, 11, 64, 17])));
    expect(mass).toBeCloseTo((31 * side + 64 * 17) * (20 / side) ** 2, 2);
  });

  it("makes a single dot a whole box", () => {
    const digit = asMnist(drawn(280, [279, 0, 1, 1]));
    const { mass, rows, columns, top } = inkOf(digit);
    expect({ mass, rows, columns, top }).toEqual({ mass: 400, rows: 20, columns: 20, top: 4 });
  });

  it("cuts nothing off where the mass lies at one end", () => {
    const { mass } = inkOf(asMnist(drawn(280, [0, 0, 200, 20], [190, 20, 10, 180], [195, 20, 5, 180])));
    expect(mass).toBeCloseTo((200 * 20 + 10 * 180) / 100, 2);
    const lopsided = inkOf(asMnist(drawn(280, [0, 0, 200, 60], [0, 60, 1, 140])));
    expect(lopsided.rows).toBe(20);
    expect(lopsided.mass).toBeCloseTo((200 * 60 + 140) / 100, 2);
  });

  it("is zeros where nothing is drawn", () => {
    expect(asMnist(drawn(280))).toEqual(new Float32Array(784));
  });

  it("leaves MNIST's own digits as they are", () => {
    const pixels = readFileSync(join(findMnist(), "t10k-images-idx3-ubyte")).subarray(16);
    for (let i = 0; i < 20; i++) {
      const bytes = pixels.subarray(784 * i, 784 * (i + 1));
      const data = new Uint8ClampedArray(4 * 784).map((_, at) => (at % 4 === 3 ? 255 : bytes[at >> 2]!));
      const digit = asMnist({ data, width: 28, height: 28 });
      expect([...digit].map((value) => Math.round(value * 255))).toEqual([...bytes]);
    }
  });
});
