// From a drawing to the picture that a network trained on MNIST expects.

/** White ink on black, as of an `ImageData`. */
export type Ink = Pick<ImageData, "data" | "width" | "height">;

const SIDE = 28;
/** The row and the column of the cell in which the centre of mass lies, in every digit of MNIST. */
const MIDDLE = 14;
/** The digits of NIST "were size normalized to fit in a 20x20 pixel box while preserving their aspect ratio" */
const BOX = 20;
/** In cells: so little of a pixel in a cell is an error of the multiplication. */
const ROUNDING = 1e-9;

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * 28x28 numbers in [0, 1], row by row, made as MNIST's digits were (http://yann.lecun.com/exdb/mnist/): what is drawn
 * is scaled to a box of 20x20 whose cells are means over their area, then moved by whole cells until its centre of mass
 * lies in the middle one of 28x28, as far as none of it is cut off. No ink gives zeros.
 */
export function asMnist(ink: Ink): Float32Array {
  const digit = new Float32Array(SIDE * SIDE);
  const box = boxOf(ink);
  if (!box) return digit;
  const scaled = scale(ink, box);
  const [down, right] = offsets(scaled, box);
  for (const [i, value] of scaled.entries()) {
    if (value > 0) digit[(Math.floor(i / BOX) + down) * SIDE + (i % BOX) + right] = value;
  }
  return digit;
}

const inkAt = ({ data, width }: Ink, x: number, y: number) => data[4 * (y * width + x)]! / 255;

/** The smallest rectangle that holds all ink; `undefined` where there is none. */
function boxOf(ink: Ink): Box | undefined {
  let [left, top, right, bottom] = [ink.width, ink.height, -1, -1];
  for (let y = 0; y < ink.height; y++) {
    for (let x = 0; x < ink.width; x++) {
      if (inkAt(ink, x, y) === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box on 20x20 cells: each pixel's ink goes to the cells that it covers, by the share that it covers. */
function scale(ink: Ink, { left, top, width, height }: Box): Float32Array {
  const cells = new Float32Array(BOX * BOX);
  const size = BOX / Math.max(width, height);
  const across = Array.from({ length: width }, (_, x) => covered(x * size, (x + 1) * size));
  for (let y = 0; y < height; y++) {
    const along = covered(y * size, (y + 1) * size);
    for (let x = 0; x < width; x++) {
      const value = inkAt(ink, left + x, top + y);
      if (value === 0) continue;
      for (const [row, tall] of along) {
        for (const [column, wide] of across[x]!) cells[row * BOX + column]! += value * tall * wide;
      }
    }
  }
  return cells.map((value) => Math.min(1, value));
}

/** The cells between two places, each with the length that lies in it. */
function covered(from: number, to: number): (readonly [number, number])[] {
  const first = Math.floor(from);
  const last = Math.min(BOX, Math.ceil(to - ROUNDING));
  return Array.from({ length: last - first }, (_, i) => {
    const cell = first + i;
    return [cell, Math.min(to, cell + 1) - Math.max(from, cell)] as const;
  });
}

/** How far down and to the right the box goes. */
function offsets(cells: Float32Array, { width, height }: Box): readonly [number, number] {
  let [mass, down, right] = [0, 0, 0];
  for (const [i, value] of cells.entries()) {
    mass += value;
    down += value * (Math.floor(i / BOX) + 0.5);
    right += value * ((i % BOX) + 0.5);
  }
  const longer = Math.max(width, height);
  const offset = (moment: number, length: number) =>
    Math.min(SIDE - Math.ceil((BOX * length) / longer), Math.max(0, MIDDLE - Math.floor(moment / mass)));
  return [offset(down, height), offset(right, width)];
}
