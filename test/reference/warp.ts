/** Images by affine maps, in float64 by plain loops. */

export interface WarpCase {
  readonly input: readonly [batch: number, height: number, width: number, channels: number];
  readonly height: number;
  readonly width: number;
  readonly interpolation: "nearest" | "bilinear";
  readonly fillMode: "reflect" | "wrap" | "constant" | "nearest";
  readonly fillValue: number;
}

/** Pixel that stands for one beyond an edge, as an endless row of images has it; -1 for what is filled. */
function folded(i: number, size: number, mode: WarpCase["fillMode"]): number {
  if (i >= 0 && i < size) return i;
  if (mode === "constant") return -1;
  if (mode === "nearest") return i < 0 ? 0 : size - 1;
  const turn = Math.floor(i / size);
  const rest = i - turn * size;
  return mode === "reflect" && turn % 2 !== 0 ? size - 1 - rest : rest;
}

/** y[n, i, j, c] = x at (a0 j + a1 i + a2, b0 j + b1 i + b2), with one row of `m` an image or one for all. */
export function warp(x: ArrayLike<number>, m: ArrayLike<number>, of: WarpCase): Float64Array {
  const [batch, inH, inW, channels] = of.input;
  const made = new Float64Array(batch * of.height * of.width * channels);
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < of.height; i++)
      for (let j = 0; j < of.width; j++)
        for (let c = 0; c < channels; c++) {
          const row = m.length === 6 ? 0 : n * 6;
          const place = (k: number) => m[row + k]! * j + m[row + k + 1]! * i + m[row + k + 2]!;
          const pixel = (y: number, x0: number) => {
            const [r, s] = [folded(y, inH, of.fillMode), folded(x0, inW, of.fillMode)];
            return r < 0 || s < 0 ? of.fillValue : x[((n * inH + r) * inW + s) * channels + c]!;
          };
          made[at++] = of.interpolation === "nearest" ? nearest(place, pixel) : between(place, pixel);
        }
  return made;
}

type Place = (k: number) => number;
type Pixel = (y: number, x: number) => number;

function nearest(place: Place, pixel: Pixel): number {
  const round = (value: number) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
  return pixel(round(place(3)), round(place(0)));
}

function between(place: Place, pixel: Pixel): number {
  const [x, y] = [place(0), place(3)];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  let sum = 0;
  for (const [dy, v] of [1 - (y - top), y - top].entries())
    for (const [dx, u] of [1 - (x - left), x - left].entries())
      if (u * v !== 0) sum += u * v * pixel(top + dy, left + dx);
  return sum;
}
