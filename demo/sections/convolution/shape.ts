import type { Image } from "../../engine/lab.ts";

/** Small enough for its numbers to be read, with edges upright, level and aslant. */
const ARROW_ROWS = ["00000000", "00011000", "00111100", "01111110", "00011000", "00011000", "00011000", "00000000"];

export const ARROW: Image = { rows: 8, columns: 8, values: Float32Array.from(ARROW_ROWS.join(""), Number) };
