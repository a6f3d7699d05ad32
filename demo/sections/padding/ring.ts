import type { Image } from "../../engine/lab.ts";

const RADIUS = 0.33;
const WIDTH = 0.17;
const STEPS = 10;

/** A soft ring that touches no border but shows at every size, in steps of a tenth. */
export function ringOf(side: number): Image {
  const brightness = (row: number, column: number) => {
    const [y, x] = [(row + 0.5) / side - 0.5, (column + 0.5) / side - 0.5];
    const away = Math.abs(Math.hypot(x, y) - RADIUS) / WIDTH;
    return Math.round(STEPS * Math.max(0, 1 - away * away)) / STEPS;
  };
  const values = Float32Array.from({ length: side * side }, (_, i) => brightness(Math.floor(i / side), i % side));
  return { rows: side, columns: side, values };
}
