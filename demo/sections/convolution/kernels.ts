// Kernels that people have known for long, in both sizes.

import type { Image } from "../../engine/lab.ts";

export type KernelSize = 3 | 5;

export interface Preset {
  readonly name: string;
  readonly label: string;
  /** What it answers to, in a sentence. */
  readonly answers: string;
  /** Row by row. */
  readonly weights: (size: KernelSize) => readonly number[];
}

const square = (size: number, weight: (row: number, column: number, middle: number) => number) =>
  Array.from({ length: size * size }, (_, i) => weight(Math.floor(i / size), i % size, (size - 1) / 2));

/** Sobel's kernels are a slope along one side times a mean along the other. */
const SLOPE = { 3: [-1, 0, 1], 5: [-1, -2, 0, 2, 1] } as const;
const MEAN = { 3: [1, 2, 1], 5: [1, 4, 6, 4, 1] } as const;

export const PRESETS: readonly Preset[] = [
  {
    name: "vertical",
    label: "Vertical edges",
    answers: "Large where the image gets brighter from left to right, negative where it gets darker. (Sobel)",
    weights: (size) => square(size, (row, column) => MEAN[size][row]! * SLOPE[size][column]!),
  },
  {
    name: "horizontal",
    label: "Horizontal edges",
    answers: "Large where the image gets brighter from top to bottom, negative where it gets darker. (Sobel)",
    weights: (size) => square(size, (row, column) => SLOPE[size][row]! * MEAN[size][column]!),
  },
  {
    name: "outline",
    label: "Outline",
    answers: "Zero where all is of one brightness: only what differs from its surroundings stays. (Laplacian)",
    weights: (size) =>
      square(size, (row, column, middle) => (row === middle && column === middle ? size * size - 1 : -1)),
  },
  {
    name: "blur",
    label: "Blur",
    answers: "The mean of all pixels under the kernel.",
    weights: (size) => square(size, () => 1 / (size * size)),
  },
  {
    name: "sharpen",
    label: "Sharpen",
    answers: "The pixel itself, and once more what sets it apart from its surroundings.",
    weights: (size) =>
      size === 3
        ? [0, -1, 0, -1, 5, -1, 0, -1, 0]
        : square(size, (row, column, middle) => {
            const away = Math.max(Math.abs(row - middle), Math.abs(column - middle));
            return [1, 0.25, -0.125][away]!;
          }),
  },
  {
    name: "emboss",
    label: "Emboss",
    answers: "As if light fell on a relief from the lower right.",
    weights: (size) =>
      square(size, (row, column, middle) =>
        row === middle && column === middle ? 1 : (row + column - 2 * middle) / middle,
      ),
  },
  {
    name: "identity",
    label: "Identity",
    answers: "The pixel in the middle and nothing else: the image comes out as it went in.",
    weights: (size) => square(size, (row, column, middle) => Number(row === middle && column === middle)),
  },
];

export function kernelOf(preset: Preset, size: KernelSize): Image {
  return { rows: size, columns: size, values: Float32Array.from(preset.weights(size)) };
}

/** The same weights around the middle; a larger kernel gets a border of zeros. */
export function resized({ rows, values }: Image, size: KernelSize): Image {
  const inset = (rows - size) / 2;
  const weight = (row: number, column: number) =>
    row < 0 || column < 0 || row >= rows || column >= rows ? 0 : values[row * rows + column]!;
  return {
    rows: size,
    columns: size,
    values: Float32Array.from(square(size, (row, column) => weight(row + inset, column + inset))),
  };
}
