// Where a layer's windows lie on its input.

import { slide } from "../../geometry.ts";
import type { LayerSpec } from "../../network.ts";
import type { Cell, Frame } from "../../ui/pixel-grid.tsx";

/** A layer that looks through a window. */
export type Sliding = Extract<LayerSpec, { kind: "conv2d" | "maxPooling2d" | "averagePooling2d" }>;

export function isSliding(spec: LayerSpec): spec is Sliding {
  return spec.kind === "conv2d" || spec.kind === "maxPooling2d" || spec.kind === "averagePooling2d";
}

/** The part of an input of [height, width] behind one cell of the output; with padding, it may reach over the edge. */
export function windowOf(spec: Sliding, [height, width]: readonly number[], { row, column }: Cell): Frame {
  const size = spec.kind === "conv2d" ? spec.kernelSize : spec.poolSize;
  const padding = spec.kind === "conv2d" ? spec.padding : "valid";
  const before = (length: number) => slide(length, size, spec.strides, padding).before;
  return {
    row: row * spec.strides - before(height!),
    column: column * spec.strides - before(width!),
    rows: size,
    columns: size,
  };
}

/** One channel of [height, width, channels], row by row. */
export function channelOf(data: Float32Array, channels: number, channel: number): Float32Array {
  return Float32Array.from({ length: data.length / channels }, (_, i) => data[i * channels + channel]!);
}

/** What is under a frame, zeros where it reaches over the edge. */
export function under(plane: Float32Array, [height, width]: readonly number[], frame: Frame): Float32Array {
  return Float32Array.from({ length: frame.rows * frame.columns }, (_, i) => {
    const row = frame.row + Math.floor(i / frame.columns);
    const column = frame.column + (i % frame.columns);
    const inside = row >= 0 && row < height! && column >= 0 && column < width!;
    return inside ? plane[row * width! + column]! : 0;
  });
}
