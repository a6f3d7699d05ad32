// Which pictures can be drawn of a network as it learns, and how their numbers lie.

import { IMAGE_SHAPE, type NetworkSpec } from "../network.ts";
import type { LayerDescription } from "./models.ts";

/** Tiles side by side, each a matrix of cells: the kernels of a layer, or its feature maps. */
export interface PictureFacts {
  readonly kind: "kernels" | "maps";
  /** Whose they are. */
  readonly layer: string;
  /** Of what there is, so many are drawn: the first. */
  readonly tiles: number;
  readonly all: number;
  /** Cells of a tile. Cell (row, column) of tile i is at `(row * columns + column) * all + i` of the buffer. */
  readonly rows: number;
  readonly columns: number;
}

/** More would be too small to be seen. */
const MOST_TILES = 64;

/** Kernels over the image itself first, then all layers' maps in order. Dropout's are those of the layer before it. */
export function picturesOf(spec: NetworkSpec, layers: readonly LayerDescription[]): PictureFacts[] {
  const first = spec.layers.findIndex(({ kind }) => kind === "conv2d" || kind === "dense");
  const kernels = layers[first] && kernelsOf(spec, layers, first);
  const maps = layers.flatMap(({ name, outputShape }, i) => {
    const [rows, columns, all] = outputShape;
    if (spec.layers[i]!.kind === "dropout") return [];
    if (rows === undefined || columns === undefined || all === undefined) return [];
    return [{ kind: "maps" as const, layer: name, tiles: Math.min(all, MOST_TILES), all, rows, columns }];
  });
  return kernels ? [kernels, ...maps] : maps;
}

/** What is before the first layer with weights keeps the image's one channel. */
function kernelsOf({ layers: specs }: NetworkSpec, layers: readonly LayerDescription[], at: number): PictureFacts {
  const { name, outputShape } = layers[at]!;
  const all = outputShape.at(-1)!;
  const facts = { kind: "kernels" as const, layer: name, tiles: Math.min(all, MOST_TILES), all };
  const spec = specs[at]!;
  if (spec.kind === "conv2d") return { ...facts, rows: spec.kernelSize, columns: spec.kernelSize };
  const seen = layers.slice(0, at).findLast(({ outputShape: shape }) => shape.length === 3)?.outputShape ?? IMAGE_SHAPE;
  return { ...facts, rows: seen[0]!, columns: seen[1]! };
}
