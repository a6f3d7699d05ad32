// One layer at a time, on one image: what the sections on convolution, padding, stride and pooling show.

import {
  averagePooling2d,
  conv2d,
  type Layer,
  type Model,
  maxPooling2d,
  type Runtime,
  type Shape,
  sequential,
  tensor,
} from "../../src/index.ts";
import type { Gpu } from "./gpu.ts";

/** One channel, row by row. */
export interface Image {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export type Padding = "valid" | "same";

export interface ConvolutionRequest {
  readonly image: Image;
  /** Row by row. */
  readonly kernel: Image;
  readonly stride: number;
  readonly padding: Padding;
}

export interface PoolingRequest {
  readonly image: Image;
  readonly kind: "max" | "average";
  readonly size: number;
  readonly stride: number;
}

/** Layers are kept by their description: turning a kernel's knob compiles nothing. */
const KEPT = 24;

export function createLab(gpu: Gpu) {
  const models = new Map<string, Promise<Model>>();
  gpu.onLost(() => models.clear());

  /** One after the other: between a kernel's upload and its map comes no other kernel. */
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = last.then(run, run);
    last = result;
    return result;
  }

  async function run(layer: Layer, key: string, image: Image, kernel?: Image): Promise<Image> {
    const model = await kept(models, `${key} ${image.rows}x${image.columns}`, async () =>
      compiled(await gpu.runtime(), layer),
    );
    if (kernel) await model.setWeights([{ data: kernel.values }]);
    const { data, shape } = await model.predict(tensor(image.values, [1, image.rows, image.columns, 1]));
    return { rows: shape[1]!, columns: shape[2]!, values: data };
  }

  return {
    /** The feature map of a kernel that slides over an image. Throws the library's own error where it does not fit. */
    convolve({ image, kernel, stride, padding }: ConvolutionRequest): Promise<Image> {
      const kernelSize = [kernel.rows, kernel.columns] as const;
      const inputShape: Shape = [image.rows, image.columns, 1];
      const options = { filters: 1, kernelSize, strides: stride, padding, useBias: false, inputShape };
      const key = `conv ${kernelSize} ${stride} ${padding}`;
      return inTurn(() => gpu.again(() => run(conv2d(options), key, image, kernel)));
    },
    /** An image pooled by its greatest or mean values. */
    pool({ image, kind, size, stride }: PoolingRequest): Promise<Image> {
      const options = { poolSize: size, strides: stride, inputShape: [image.rows, image.columns, 1] };
      const layerOf = kind === "max" ? maxPooling2d : averagePooling2d;
      return inTurn(() => gpu.again(() => run(layerOf(options), `${kind} ${size} ${stride}`, image)));
    },
  };
}

async function compiled(runtime: Runtime, layer: Layer): Promise<Model> {
  const model = sequential([layer]);
  await model.compile({ runtime });
  return model;
}

/** What was used last stays; what is pushed out is freed. */
async function kept<T extends { dispose(): void }>(
  all: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = all.get(key);
  all.delete(key);
  const made = known ?? make();
  all.set(key, made);
  made.catch(() => all.delete(key));
  const [oldest] = all.keys();
  if (all.size > KEPT) {
    const dropped = all.get(oldest!)!;
    all.delete(oldest!);
    void dropped.then((model) => model.dispose());
  }
  return made;
}
