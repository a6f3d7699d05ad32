// The benchmark's weights for libraries whose images are channels first (NCHW).

import { type Role, shapesOf } from "../arithmetic.ts";
import type { BenchData } from "./system.ts";

/** A weight of a layer: of a kernel OIHW or [in, out], of a depthwise one [channels, 1, kH, kW]. */
export interface ChannelsFirst {
  readonly role: Role;
  readonly values: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** What each layer of the network has, in Keras's order. */
export function channelsFirst({ network, weights }: Pick<BenchData, "network" | "weights">): ChannelsFirst[][] {
  const layers = shapesOf(network);
  const rest = [...weights];
  return network.layers.map((layer, i) =>
    layers[i]!.weights.map(({ role, shape }): ChannelsFirst => {
      const values = rest.shift()!;
      if (role !== "kernel") return { role, values, shape };
      if (layer.kind === "depthwiseConv2d") {
        const [height, width, channels] = shape as [number, number, number];
        const turned = transposed(values, [height * width, channels]);
        return { role, values: turned, shape: [channels, 1, height, width] };
      }
      if (layer.kind === "conv2d") {
        const [height, width, inputs, outputs] = shape as [number, number, number, number];
        return { role, values: outputsFirst(values, shape), shape: [outputs, inputs, height, width] };
      }
      const flattened = network.layers[i - 1]?.kind === "flatten" ? layers[i - 1]!.input : undefined;
      return { role, values: flattened ? rowsByChannel(values, flattened, shape[1]!) : values, shape };
    }),
  );
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

/** Images from [h, w, c] to [c, h, w]. */
export function channelsFirstImages(pixels: Uint8Array, [h, w, c]: readonly [number, number, number]): Uint8Array {
  if (c === 1) return pixels;
  const turned = new Uint8Array(pixels.length);
  const places = h * w;
  for (let at = 0; at < pixels.length; at++) {
    const [channel, place] = [at % c, Math.floor(at / c)];
    turned[(Math.floor(place / places) * c + channel) * places + (place % places)] = pixels[at]!;
  }
  return turned;
}
