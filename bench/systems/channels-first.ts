// The benchmark's weights for libraries whose images are channels first (NCHW).

import { shapesOf } from "../networks.ts";
import type { BenchData } from "./system.ts";

/** The parameters of a layer: a kernel of OIHW or [in, out], and one bias an output. */
export interface ChannelsFirst {
  readonly kernel: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
  readonly bias: Float32Array<ArrayBuffer>;
}

/** What each layer of the network has, `undefined` where it has none. */
export function channelsFirst({ network, weights }: BenchData): (ChannelsFirst | undefined)[] {
  const shapes = shapesOf(network);
  const rest = [...weights];
  return network.layers.map((layer, i) => {
    const { kernel: shape } = shapes[i]!;
    if (!shape) return undefined;
    const [values, bias] = rest.splice(0, 2) as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
    if (layer.kind === "conv2d") {
      const [height, width, inputs, outputs] = shape;
      return { kernel: outputsFirst(values, shape), shape: [outputs!, inputs!, height!, width!], bias };
    }
    const flattened = network.layers[i - 1]?.kind === "flatten" ? shapes[i - 1]!.input : undefined;
    return { kernel: flattened ? rowsByChannel(values, flattened, shape[1]!) : values, shape, bias };
  });
}

/** A convolution's kernel from HWIO to OIHW. */
export function outputsFirst(
  values: Float32Array,
  [height, width, inputs, outputs]: readonly number[],
): Float32Array<ArrayBuffer> {
  const places = height! * width!;
  const turned = new Float32Array(values.length);
  for (let o = 0; o < outputs!; o++) {
    for (let i = 0; i < inputs!; i++) {
      for (let at = 0; at < places; at++) {
        turned[(o * inputs! + i) * places + at] = values[(at * inputs! + i) * outputs! + o]!;
      }
    }
  }
  return turned;
}

/** The rows of a dense layer after `flatten` from (h, w, c) to (c, h, w). */
export function rowsByChannel(
  values: Float32Array,
  [height, width, channels]: readonly number[],
  units: number,
): Float32Array<ArrayBuffer> {
  const places = height! * width!;
  const turned = new Float32Array(values.length);
  for (let channel = 0; channel < channels!; channel++) {
    for (let at = 0; at < places; at++) {
      const row = (at * channels! + channel) * units;
      turned.set(values.subarray(row, row + units), (channel * places + at) * units);
    }
  }
  return turned;
}

/** A matrix from [rows, columns] to [columns, rows]. */
export function transposed(values: Float32Array, [rows, columns]: readonly number[]): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows!; row++) {
    for (let column = 0; column < columns!; column++) turned[column * rows! + row] = values[row * columns! + column]!;
  }
  return turned;
}
