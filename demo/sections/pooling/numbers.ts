import type { Image } from "../../engine/lab.ts";

/** Whole numbers from 0 to 9, so that the greatest and the mean of a window are seen at once. */
const ROWS = ["13207415", "50819263", "72406038", "16935172", "04821590", "37260483", "81057926", "29463015"];

export const NUMBERS: Image = { rows: 8, columns: 8, values: Float32Array.from(ROWS.join(""), Number) };
