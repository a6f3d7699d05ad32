import { describe, expect, it } from "vitest";
import { conv2d, type Shape4 } from "../../reference/conv2d.ts";
import { randomArray } from "../../reference/random.ts";
import { compare, expectClose, kindOfBits } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, winogradOutlierTolerance } from "../../support/tolerances.ts";

const [image, channels] = [16, 4];

/** Two images, of which the first has one pixel unlike all others, in one channel; and what becomes of it. */
async function convolved(pixel: number, taps: number, algorithm?: string) {
  const xShape: Shape4 = [2, image, image, channels];
  const kShape: Shape4 = [taps, taps, channels, channels];
  const [row, column] = [8, 7];
  const x = randomArray(2 * image * image * channels, 1);
  x[(row * image + column) * channels + 1] = pixel;
  const k = randomArray(taps * taps * channels * channels, 2);
  const plain = { strides: [1, 1], padding: "valid" } as const;
  const run = new GraphRun().rows(2);
  const { y } = run.add("conv2d", { x: run.input("x", xShape, x), kernel: run.input("k", kShape, k) }, plain);
  const [got] = await run.read([y!], algorithm ? { algorithm } : {});
  expect(run.graph.nodes.some(({ op }) => op === "winogradOutput")).toBe(algorithm !== undefined);
  const want = conv2d(x, xShape, k, kShape, undefined, plain);
  const out = want.shape[1];
  const places = [...want.y.keys()].map((at) => {
    const [i, j] = [Math.floor(at / (out * channels)) % out, Math.floor(at / channels) % out];
    return { second: at >= out * out * channels, i, j };
  });
  const inWindow = places.map(
    ({ second, i, j }) => !second && row >= i && row < i + taps && column >= j && column < j + taps,
  );
  /** Whether a tile of as many outputs a side takes a patch of x that has the pixel. */
  const inPatch = (size: number) => {
    const has = (at: number, of: number) => {
      const first = Math.floor(at / size) * size;
      return of >= first && of < first + size + taps - 1;
    };
    return places.map(({ second, i, j }) => !second && has(i, row) && has(j, column));
  };
  return { got: got!, want: want.y, inWindow, inPatch };
}

const where = (values: ArrayLike<number>, holds: readonly boolean[]) => Array.from(values).filter((_, at) => holds[at]);

describe("one bad pixel under Winograd's algorithm", () => {
  it.each([
    [6, 2],
    [6, 3],
    [7, 4],
    [8, 3],
    [8, 5],
  ] as const)(
    "spreads in the tiles that have it, and no farther, at %i points by a kernel of %i",
    async (points, taps) => {
      const tiles = (of: { inPatch: (size: number) => boolean[] }) => of.inPatch(points + 1 - taps);
      const bad = await convolved(Number.NaN, taps, `winograd${points}`);
      const kinds = Array.from(new Uint32Array(bad.got.buffer), kindOfBits);
      const reached = tiles(bad);
      const wrong = kinds.filter((kind, at) => (bad.inWindow[at] ? kind !== "NaN" : kind === "NaN" && !reached[at]));
      expect(wrong).toEqual([]);

      const large = await convolved(1e6, taps, `winograd${points}`);
      const far = tiles(large).map((reached) => !reached);
      const tolerance = winogradOutlierTolerance(points, taps, taps * taps * channels, 1e6);
      expectClose(large.got, large.want, tolerance, "y");
      const usual = winogradOutlierTolerance(points, taps, taps * taps * channels, 1);
      expectClose(where(large.got, far), where(large.want, far), usual, "y of other tiles");
    },
  );
});

describe("one bad pixel under a direct convolution", () => {
  it("is in the windows that have it, and leaves no trace elsewhere", async () => {
    const bad = await convolved(Number.NaN, 3);
    const kinds = Array.from(new Uint32Array(bad.got.buffer), kindOfBits);
    expect(kinds.map((kind) => kind === "NaN")).toEqual(bad.inWindow);
    const large = await convolved(1e6, 3);
    const others = large.inWindow.map((inside) => !inside);
    expectClose(where(large.got, others), where(large.want, others), sumTolerance(36), "y of other windows");
    // What the tolerance of Winograd's neighbours allows is seen by this one.
    const moved = where(large.want, others).map((value) => value + 1e-3);
    expect(compare(moved, where(large.want, others), sumTolerance(36)).ok).toBe(false);
  });
});
