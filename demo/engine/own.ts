// The same layers, trained on a reader's own images.

import { adam, type Model, saveModel, tensor, toConfig } from "../../src/index.ts";
import { IMAGE_PIXELS, IMAGE_SHAPE, type LayerSpec } from "../network.ts";
import { loadModel } from "./files.ts";
import type { Gpu } from "./gpu.ts";
import { modelOf } from "./models.ts";

export interface OwnRequest {
  /** The last one, dense with a softmax, gets as many units as there are classes. */
  readonly layers: readonly LayerSpec[];
  readonly classes: number;
  /** 28 x 28 numbers in [0, 1] an image, one after the other. */
  readonly images: Float32Array;
  /** The class of each image. */
  readonly labels: Uint8Array;
}

export interface OwnProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly accuracy: number;
}

type OnProgress = (progress: OwnProgress) => void;

/** There are few images: they are seen often, in small batches, and Adam moves faster than plain SGD. */
const EPOCHS = 40;
const BATCH = 16;
/** What is learned by heart needs no more epochs. */
const LEARNED = 0.01;

export function createOwn(gpu: Gpu) {
  /** The network that was trained last, which outlives the device. */
  let file: Uint8Array | undefined;
  let model: Promise<Model> | undefined;
  let stop = new AbortController();
  gpu.onLost(() => {
    model = undefined;
  });

  function become(next: Model, written: Uint8Array): void {
    model?.then(
      (before) => before.dispose(),
      () => {},
    );
    model = Promise.resolve(next);
    file = written;
  }

  function current(bytes: Uint8Array): Promise<Model> {
    if (model) return model;
    const making = load(bytes);
    making.catch(() => {
      if (model === making) model = undefined; // The next call tries again.
    });
    model = making;
    return making;
  }

  const load = async (bytes: Uint8Array) => loadModel(bytes, { runtime: await gpu.runtime() });

  async function train(request: OwnRequest, onProgress: OnProgress, signal: AbortSignal) {
    const next = modelOf({ layers: withClasses(request.layers, request.classes) });
    try {
      await fit(next, request, onProgress, signal);
      const written = signal.aborted ? undefined : await saveModel(next);
      if (signal.aborted || !written) next.dispose();
      else become(next, written);
      return signal.aborted ? undefined : written;
    } catch (error) {
      next.dispose();
      throw error;
    }
  }

  async function fit(next: Model, request: OwnRequest, onProgress: OnProgress, signal: AbortSignal) {
    const learned = new AbortController();
    const size = request.labels.length;
    const runtime = await gpu.runtime();
    const loss = "sparseCategoricalCrossentropy";
    await next.compile({ loss, optimizer: adam(), metrics: ["accuracy"], runtime, seed: 1 });
    await next.fit(tensor(request.images, [size, ...IMAGE_SHAPE]), tensor(request.labels, [size]), {
      epochs: EPOCHS,
      batchSize: Math.min(BATCH, size),
      verbose: 0,
      signal: AbortSignal.any([signal, learned.signal]),
      callbacks: [
        {
          onEpochEnd(epoch, { loss, accuracy = Number.NaN }) {
            onProgress({ epoch: epoch + 1, epochs: EPOCHS, loss, accuracy });
            if (loss < LEARNED) learned.abort();
          },
        },
      ],
    });
  }

  return {
    /**
     * Trains from the start; a training under way ends.
     *
     * @returns the trained network as a file; `undefined` where it was stopped, and the one of before stays
     */
    trainOwn(request: OwnRequest, onProgress: OnProgress): Promise<Uint8Array | undefined> {
      stop.abort();
      stop = new AbortController();
      const { signal } = stop;
      return gpu.again(() => train(request, onProgress, signal));
    },

    stopOwn(): void {
      stop.abort();
    },

    /** A probability for each class; `undefined` while nothing was trained. */
    async readOwn(pixels: Float32Array): Promise<Float32Array | undefined> {
      if (pixels.length !== IMAGE_PIXELS) throw new Error(`An image has ${IMAGE_PIXELS} pixels, got ${pixels.length}.`);
      const trained = file;
      if (!trained) return undefined;
      const image = tensor(pixels, [1, ...IMAGE_SHAPE]);
      return gpu.again(async () => (await (await current(trained)).predict(image)).data);
    },

    /**
     * Takes back what `trainOwn` gave.
     *
     * @throws Error where it is another network, or damaged
     */
    async restoreOwn(bytes: Uint8Array, classes: number): Promise<void> {
      const next = await load(bytes);
      try {
        const { inputShape } = toConfig(next).layers[0]!.config;
        const [takes, gives] = [JSON.stringify(inputShape), JSON.stringify(next.layers.at(-1)!.outputShape)];
        if (takes !== JSON.stringify(IMAGE_SHAPE) || gives !== JSON.stringify([classes]))
          throw new Error(`It takes images of ${takes} and gives ${gives}, but there are ${classes} classes.`);
      } catch (error) {
        next.dispose();
        throw error;
      }
      become(next, bytes);
    },
  };
}

function withClasses(layers: readonly LayerSpec[], classes: number): LayerSpec[] {
  return [...layers.slice(0, -1), { kind: "dense", units: classes, activation: "softmax" }];
}
