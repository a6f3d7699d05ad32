// Pictures as small grey images.

/** Of the image, in pixels. */
export const SIDE = 28;
/** Shrunk in two steps: at once, pixels between the few that are read would be skipped. */
const BETWEEN = 4 * SIDE;

/** The middle square of a picture as 28 x 28 numbers in [0, 1]; `mirrored`, as one sees oneself in a mirror. */
export function createShrinker({ mirrored = false } = {}) {
  const large = surface(BETWEEN);
  const small = surface(SIDE);
  if (mirrored) large.setTransform(-1, 0, 0, 1, BETWEEN, 0);
  return (picture: CanvasImageSource, width: number, height: number): Float32Array => {
    const side = Math.min(width, height);
    large.clearRect(0, 0, BETWEEN, BETWEEN);
    large.drawImage(picture, (width - side) / 2, (height - side) / 2, side, side, 0, 0, BETWEEN, BETWEEN);
    small.clearRect(0, 0, SIDE, SIDE);
    small.drawImage(large.canvas, 0, 0, SIDE, SIDE);
    const { data } = small.getImageData(0, 0, SIDE, SIDE);
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) => grey(data, 4 * i));
  };
}

function surface(side: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  return context;
}

/** Luma of ITU-R BT.601, in [0, 1]. */
function grey(data: Uint8ClampedArray, at: number): number {
  return (0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!) / 255;
}
